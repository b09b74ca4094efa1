/** The parts of the form that contain the server's code for parameters: loaded after the page's first paint. */
import type { PlaygroundState, PlaygroundStore } from '../store/playground-store.ts';
import { ModeChip } from './mode-chip.tsx';
import { ParameterPanel } from './parameter-panel.tsx';
import { PresetsMenu } from './presets-menu.tsx';
import { useParameterCheck } from './use-parameter-check.ts';

interface SideProps {
  readonly store: PlaygroundStore;
  readonly state: PlaygroundState;
  /** Tokens of the text, about. */
  readonly promptTokens: number;
}

export function ParameterSide({
  store,
  state,
  promptTokens,
  shown,
  onShown,
}: SideProps & { readonly shown: string | null; readonly onShown: () => void }) {
  const { parameters, presetId } = state.draft;
  const check = useParameterCheck(parameters, promptTokens);
  return (
    <ParameterPanel
      parameters={parameters}
      onChange={store.setParameters}
      check={check}
      lastSeed={state.lastRun?.seed ?? null}
      shown={shown}
      onShown={onShown}
    >
      <PresetsMenu
        parameters={parameters}
        presetId={presetId}
        onApply={(preset) =>
          store.change((draft) =>
            preset === null
              ? { ...draft, presetId: null }
              : { ...draft, presetId: preset.id, parameters: preset.parameters },
          )
        }
      />
    </ParameterPanel>
  );
}

export function ModeOfDraft({
  state,
  promptTokens,
  onShow,
}: Omit<SideProps, 'store'> & { readonly onShow: (name: string) => void }) {
  return <ModeChip check={useParameterCheck(state.draft.parameters, promptTokens)} onShow={onShow} />;
}
