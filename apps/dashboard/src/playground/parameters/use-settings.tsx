import { lazy, type ReactNode, Suspense, useCallback, useMemo, useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { Sheet } from '../../ui/dialog.tsx';
import { useIsPhone } from '../../ui/media.ts';
import { Skeleton } from '../../ui/states.tsx';
import { textOf } from '../document/draft.ts';
import { DEFAULT_PIPELINE, useChosenModel } from '../model/chosen-model.ts';
import { ASKED, type PlaygroundState, type PlaygroundStore } from '../store/playground-store.ts';
import { CheckLine } from './check-line.tsx';
import { fitOffer } from './fit-offer.ts';
import { FitOffers } from './fit-offers.tsx';
import { useContextEnd } from './use-context-end.ts';
import { useRunCheck } from './use-run-check.ts';

const ParameterSide = lazy(() => import('./parameter-side.tsx').then((parts) => ({ default: parts.ParameterSide })));
const ModeOfDraft = lazy(() => import('./parameter-side.tsx').then((parts) => ({ default: parts.ModeOfDraft })));

const CHARACTERS_PER_TOKEN = 4;

const waiting = (
  <div className="playground-params-body">
    <Skeleton rows={12} height="1.75rem" />
  </div>
);

/** The parts of the page that belong to the parameters of the next run. */
export interface Settings {
  /** How tokens are chosen, and why. */
  readonly chip: ReactNode;
  /** Opens the form on a phone; null where it stands beside the text. */
  readonly button: ReactNode;
  readonly panel: ReactNode;
  /** What the run may use and cost, or why it is refused. */
  readonly line: ReactNode;
  /** The server's sentence about why the run would be refused now; null: it would run, as far as is known. */
  readonly refusal: string | null;
  /** Offset in the text from which on it does not fit into the context; null where all of it does. */
  readonly contextEnd: number | null;
}

export function useSettings(store: PlaygroundStore, state: PlaygroundState): Settings {
  const { draft, lastRun, isLoaded } = state;
  const isPhone = useIsPhone();
  const [shown, setShown] = useState<string | null>(null);
  const [isOpen, setOpen] = useState(false);
  // While tokens arrive, the form and the check stay as they are: they are about the run after this one.
  const isRunning = state.running.length > 0;
  const [text, setText] = useState('');
  const present = isRunning ? text : textOf(draft);
  if (present !== text) setText(present);
  const pipelineId = useChosenModel()?.pipelineId ?? DEFAULT_PIPELINE;
  const checked = useRunCheck({ pipelineId, prompt: text, parameters: { ...ASKED, ...draft.parameters } });
  const promptTokens = checked.check?.promptTokens ?? Math.ceil(text.length / CHARACTERS_PER_TOKEN);
  const isTooLong = checked.isFresh && checked.check !== null && fitOffer(checked.check).isPromptTooLong;
  const contextEnd = useContextEnd(text, isTooLong);
  const onShown = useCallback(() => setShown(null), []);
  const show = useCallback((name: string): void => {
    setOpen(true);
    setShown(name);
  }, []);
  const { parameters, presetId } = draft;
  const lastSeed = lastRun?.seed ?? null;
  const chip = useMemo(
    () => (
      <Suspense fallback={null}>
        <ModeOfDraft parameters={parameters} promptTokens={promptTokens} onShow={show} />
      </Suspense>
    ),
    [parameters, promptTokens, show],
  );
  const form = useMemo(
    () => (
      <Suspense fallback={waiting}>
        <ParameterSide
          store={store}
          parameters={parameters}
          presetId={presetId}
          lastSeed={lastSeed}
          promptTokens={promptTokens}
          shown={shown}
          onShown={onShown}
        />
      </Suspense>
    ),
    [store, parameters, presetId, lastSeed, promptTokens, shown, onShown],
  );
  const changed = Object.keys(draft.parameters).filter((name) => name !== 'compat').length;
  const refusal = checked.isFresh ? (checked.check?.refusal?.message ?? null) : null;
  const seconds = (lastRun?.computeTimeMs ?? 0) / 1000;
  return {
    chip: isPhone ? null : chip,
    button: isPhone && (
      <Button look="quiet" icon="sliders" aria-label={`Parameters, ${changed} changed`} onPress={() => setOpen(true)}>
        {changed}
      </Button>
    ),
    panel: isPhone ? (
      <Sheet title="Parameters" isOpen={isOpen} onClose={() => setOpen(false)}>
        {chip}
        {form}
      </Sheet>
    ) : (
      // Before the draft is read, its parameters are not known.
      <aside className="playground-side">{isLoaded ? form : waiting}</aside>
    ),
    line:
      text === '' ? null : (
        <div className="playground-check-row">
          <CheckLine
            checked={checked}
            tokensPerSecond={seconds > 0 ? (lastRun?.usage?.generatedTokens ?? 0) / seconds : null}
          />
          {checked.check !== null && checked.check.refusal !== null && (
            <FitOffers store={store} check={checked.check} text={text} contextEnd={contextEnd} />
          )}
        </div>
      ),
    refusal,
    contextEnd: contextEnd?.offset ?? null,
  };
}
