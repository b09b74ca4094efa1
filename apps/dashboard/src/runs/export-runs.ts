import type { RunSummary } from '@gptj-cloud/sdk';

const COLUMNS = [
  'id',
  'state',
  'created_at',
  'started_at',
  'ended_at',
  'pipeline_id',
  'token_id',
  'token_name',
  'prompt_head',
  'output_head',
  'error',
  'exception',
  'prompt_tokens',
  'generated_tokens',
  'computed_tokens',
  'cached_tokens',
  'queued_ms',
  'first_token_ms',
  'compute_ms',
  'cost',
  'currency',
  'seed',
  'attempts',
] as const;

type Line = Readonly<Record<(typeof COLUMNS)[number], string | number | null>>;

/** One JSON object a line. */
export function toJsonLines(runs: readonly RunSummary[]): string {
  return runs.map((run) => `${JSON.stringify(lineOf(run))}\n`).join('');
}

/** RFC 4180. Text that a spreadsheet would read as a formula begins with an apostrophe. */
export function toCsv(runs: readonly RunSummary[]): string {
  const lines = runs.map((run) => {
    const line = lineOf(run);
    return COLUMNS.map((column) => field(line[column])).join(',');
  });
  return [COLUMNS.join(','), ...lines].map((line) => `${line}\r\n`).join('');
}

function field(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function lineOf(run: RunSummary): Line {
  const { usage, timings, cost } = run;
  return {
    id: run.id,
    state: run.runState,
    created_at: run.createdAt.toISOString(),
    started_at: run.startedAt?.toISOString() ?? null,
    ended_at: run.endedAt?.toISOString() ?? null,
    pipeline_id: run.pipelineId,
    token_id: run.tokenId,
    token_name: run.tokenName,
    prompt_head: run.promptHead,
    output_head: run.outputHead,
    error: run.error,
    exception: run.exception,
    prompt_tokens: usage?.promptTokens ?? null,
    generated_tokens: usage?.generatedTokens ?? null,
    computed_tokens: usage?.computedTokens ?? null,
    cached_tokens: usage?.cachedTokens ?? null,
    queued_ms: timings.queuedMs,
    first_token_ms: timings.firstTokenMs,
    compute_ms: timings.computeMs,
    cost: cost?.amount ?? null,
    currency: cost?.currency ?? null,
    seed: run.seed,
    attempts: run.attempts,
  };
}
