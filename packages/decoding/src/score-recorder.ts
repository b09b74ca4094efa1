import type { GenerateConfig } from './generate-config.ts';
import type { ScoreRow } from './generate-outcome.ts';
import { Ranking } from './numerics/ranking.ts';
import type { WorkBudget } from './work-budget.ts';

const ranking = new Ranking();
/** Steps of one value in base64. */
const BASE64_STEPS = 20;

/** Collects `output_scores` and `output_logits` in the requested form. */
export interface ScoreRecorder {
  /** Begin a step of `rows` rows; until `record` a row counts as finished. */
  readonly startStep: (rows: number) => void;
  readonly record: (row: number, kind: 'scores' | 'logits', values: Float32Array) => void;
  readonly collected: () => {
    readonly scores?: readonly (readonly (ScoreRow | null)[])[];
    readonly logits?: readonly (readonly (ScoreRow | null)[])[];
  };
}

/** Rows are returned as `output` asks; encoding them is charged to `output_scores`. */
export function scoreRecorder({ output }: GenerateConfig, budget: WorkBudget): ScoreRecorder {
  const steps: Record<'scores' | 'logits', (ScoreRow | null)[][]> = { scores: [], logits: [] };
  return {
    startStep: (rows) => {
      for (const kind of ['scores', 'logits'] as const) {
        if (output[kind]) steps[kind].push(new Array<ScoreRow | null>(rows).fill(null));
      }
    },
    record: (row, kind, values) => {
      const step = steps[kind].at(-1);
      if (step === undefined) return;
      step[row] = encodeRow(values, output.rowFormat);
      budget.charge('output_scores', output.rowFormat.type === 'top' ? ranking.steps : BASE64_STEPS * values.length);
    },
    collected: () => ({
      ...(output.scores ? { scores: steps.scores } : {}),
      ...(output.logits ? { logits: steps.logits } : {}),
    }),
  };
}

function encodeRow(values: Float32Array, format: GenerateConfig['output']['rowFormat']): ScoreRow {
  if (format.type === 'base64') return { type: 'base64', data: toBase64(values) };
  ranking.rank(values);
  const count = Math.min(format.count, ranking.count);
  return {
    type: 'top',
    entries: Array.from({ length: count }, (_, at) => {
      const token = ranking.at(at);
      return [token, values[token]!] as const;
    }),
  };
}

/** Little-endian float32 whatever the machine's own order. */
function toBase64(values: Float32Array): string {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (let at = 0; at < values.length; at++) view.setFloat32(at * 4, values[at]!, true);
  const bytes = new Uint8Array(view.buffer);
  const parts: string[] = [];
  // A multiple of 3, so that the parts join without padding between them.
  for (let from = 0; from < bytes.length; from += 24_576) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(from, from + 24_576))));
  }
  return parts.join('');
}
