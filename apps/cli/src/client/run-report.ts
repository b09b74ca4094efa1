/** A run as text. */
import type { Run } from '@gptj-cloud/sdk';
import { formatCount, formatDuration, formatMoment, threeDigits } from '../figures.ts';

/** Rates over a shorter time say nothing. */
const MIN_RATE_MS = 5;

const REASONS = { eos: 'end of text', length: 'length limit', stop: 'stop string', time: 'time limit' } as const;

/** The texts of the result; a result that is no text is JSON. Empty before the end and after a failure. */
export function textsOf({ resultPreview }: Run): readonly string[] {
  const [first] = resultPreview ?? [];
  const outputs: readonly unknown[] = Array.isArray(first) ? first : resultPreview === null ? [] : resultPreview;
  return outputs.map((output) => (typeof output === 'string' ? output : JSON.stringify(output)));
}

/** `64 tokens in 5.9 s · prompt 11 tokens · 10.9 tokens/s · ended by length limit · seed 7 · run_…`. */
export function runLine(run: Run): string {
  const { usage, timings, seed, id } = run;
  const reasons = [...new Set(run.finishReasons ?? [])].map((reason) => REASONS[reason]);
  const { computeMs } = timings;
  const rate =
    usage === null || computeMs === null || computeMs < MIN_RATE_MS
      ? []
      : [`${threeDigits((usage.generatedTokens / computeMs) * 1000)} tokens/s`];
  return [
    ...(usage === null
      ? []
      : [
          `${formatCount(usage.generatedTokens)} tokens${computeMs === null ? '' : ` in ${formatDuration(computeMs)}`}`,
          `prompt ${formatCount(usage.promptTokens)} tokens`,
        ]),
    ...rate,
    ...(reasons.length === 0 ? [] : [`ended by ${reasons.join(' and ')}`]),
    ...(seed === null ? [] : [`seed ${seed}`]),
    id,
  ].join(' · ');
}

/** The facts of a run for a table of names and values. */
export function runPairs(run: Run): readonly (readonly [string, string])[] {
  const { usage, timings, cost } = run;
  const duration = (ms: number | null): string => (ms === null ? '' : formatDuration(ms));
  return [
    ['run', run.id],
    ['state', run.runState],
    ['pipeline', `${run.pipeline.name} (${run.pipeline.id})`],
    ['created', formatMoment(run.createdAt)],
    ['ended', formatMoment(run.endedAt)],
    ['queued', duration(timings.queuedMs)],
    ['first token', duration(timings.firstTokenMs)],
    ['computed in', duration(timings.computeMs)],
    [
      'tokens',
      usage === null ? '' : `${formatCount(usage.generatedTokens)}, prompt ${formatCount(usage.promptTokens)}`,
    ],
    ['computed', usage === null ? '' : `${formatCount(usage.computedTokens)} tokens`],
    ['cost', cost === null ? '' : `${cost.amount} ${cost.currency}`],
    ['ended by', [...new Set(run.finishReasons ?? [])].map((reason) => REASONS[reason]).join(' and ')],
    ['seed', run.seed === null ? '' : String(run.seed)],
    ['token', run.tokenId ?? 'a browser session'],
    ['error', run.errorInfo?.exception ?? run.error ?? ''],
    ['warnings', run.warnings.join('; ')],
  ];
}
