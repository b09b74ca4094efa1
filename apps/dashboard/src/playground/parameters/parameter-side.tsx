/** The parts of the form that contain the server's code for parameters: loaded after the page's first paint. */
import type { Parameters } from '../document/draft.ts';
import type { PlaygroundStore } from '../store/playground-store.ts';
import { ModeChip } from './mode-chip.tsx';
import { ParameterPanel } from './parameter-panel.tsx';
import { PresetsMenu } from './presets-menu.tsx';
import { useParameterCheck } from './use-parameter-check.ts';

interface SideProps {
  readonly parameters: Parameters;
  /** Tokens of the text, about. */
  readonly promptTokens: number;
}

export function ParameterSide({
  store,
  parameters,
  presetId,
  lastSeed,
  promptTokens,
  shown,
  onShown,
}: SideProps & {
  readonly store: PlaygroundStore;
  readonly presetId: string | null;
  /** Of the last run. */
  readonly lastSeed: number | null;
  readonly shown: string | null;
  readonly onShown: () => void;
}) {
  const check = useParameterCheck(parameters, promptTokens);
  return (
    <ParameterPanel
      parameters={parameters}
      onChange={store.setParameters}
      check={check}
      lastSeed={lastSeed}
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
  parameters,
  promptTokens,
  onShow,
}: SideProps & { readonly onShow: (name: string) => void }) {
  return <ModeChip check={useParameterCheck(parameters, promptTokens)} onShow={onShow} />;
}
