import { useState } from 'react';
import type { Parameters } from '../document/draft.ts';
import { ParameterPanel } from '../parameters/parameter-panel.tsx';
import { useParameterCheck } from '../parameters/use-parameter-check.ts';

/** About how long a prompt is: the column's own run is checked by the server. */
const PROMPT_TOKENS = 16;

export function ColumnForm({
  parameters,
  onChange,
}: {
  readonly parameters: Parameters;
  readonly onChange: (parameters: Parameters) => void;
}) {
  const check = useParameterCheck(parameters, PROMPT_TOKENS);
  const [shown, setShown] = useState<string | null>('temperature');
  return (
    <ParameterPanel
      parameters={parameters}
      onChange={onChange}
      check={check}
      lastSeed={null}
      shown={shown}
      onShown={() => setShown(null)}
    />
  );
}
