/**
 * The score requests of most strategies: the prompt first, then rows of one token each. With `guidance_scale` every row
 * has an unconditional counterpart: that of row i of n is row n + i.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { GenerateConfig } from '../generate-config.ts';
import type { TokenReport } from '../generate-outcome.ts';
import type { FinalTokens, Row, RowResult, ScoreRequest, ScoreResult } from '../strategy.ts';
import { reportToken } from '../token-report.ts';
import type { Decoding } from './decoding.ts';

/** Positions of the prompt in one request when all of them are scored: bounds the memory of one result. */
const CHUNK = 32;

/** Continue row `from` of the previous request by one token. */
export interface Continuation {
  readonly from: number;
  readonly token: TokenId;
}

/** Raw logits of one row. */
export interface RowLogits {
  readonly logits: Float32Array;
  /** Raw logits of its unconditional row. */
  readonly unconditional?: Float32Array;
  /** Raw logits of the inner layers that DoLa contrasts. */
  readonly layers: readonly Float32Array[];
}

export interface Prefilled {
  /** Logits after the prompt. */
  readonly row: RowLogits;
  /** One report per prompt token after the first, with `prompt_logprobs`. */
  readonly promptLogprobs?: readonly TokenReport[];
}

/** Score the prompt: afterwards it is row 0. */
export function* prefill(decoding: Decoding): Generator<ScoreRequest, Prefilled, ScoreResult> {
  const { prompt, config, budget } = decoding;
  const twins = twinsOf(config) ? [negativePrompt(decoding)] : [];
  const topCount = config.output.promptLogprobs;
  if (topCount === null) {
    const result = yield {
      rows: [{ from: null, tokens: prompt, scored: 'last', ...layersOf(config) }, ...twins],
      finalTokens: [],
    };
    return { row: readRow(result, 0, config) };
  }
  const promptLogprobs: TokenReport[] = [];
  const chunks = yield* scoreInChunks(prompt, twins, layersOf(config), (result, start) => {
    for (const [at, logits] of result.logits.entries()) {
      const next = prompt[start + at + 1];
      if (next !== undefined) promptLogprobs.push(reportToken(logits, next, topCount, budget));
    }
  });
  return { row: readRow(chunks, 0, config), promptLogprobs };
}

/**
 * Score every position of the prompt, some at a time; `onChunk` gets each result with the position it starts at.
 * Returns the last chunk's result, its first row reduced to the last position.
 */
export function* scoreInChunks(
  prompt: readonly TokenId[],
  twins: readonly Row[],
  extra: Pick<Row, 'hidden' | 'layers'>,
  onChunk: (result: RowResult, start: number) => void,
): Generator<ScoreRequest, ScoreResult, ScoreResult> {
  let result: ScoreResult = [];
  for (let start = 0; start < prompt.length; start += CHUNK) {
    const tokens = prompt.slice(start, start + CHUNK);
    const isLast = start + CHUNK >= prompt.length;
    const row: Row = { from: start === 0 ? null : 0, tokens, scored: 'all', ...extra };
    result = yield { rows: [row, ...(isLast ? twins : [])], finalTokens: [] };
    onChunk(result[0]!, start);
  }
  const [first, ...rest] = result;
  const last: RowResult = {
    logits: first!.logits.slice(-1),
    hidden: first!.hidden.slice(-1),
    layers: first!.layers.map((rows) => rows.slice(-1)),
  };
  return [last, ...rest];
}

/** A request for rows that continue those of the previous request, which had `previous` rows. */
export function continueRows(
  config: GenerateConfig,
  previous: number,
  continuations: readonly Continuation[],
  finalTokens: readonly FinalTokens[],
): ScoreRequest {
  const rows = continuations.map(
    ({ from, token }): Row => ({ from, tokens: [token], scored: 'last', ...layersOf(config) }),
  );
  const twins = rows.map((row): Row => ({ ...row, from: (row.from ?? 0) + previous }));
  return { rows: twinsOf(config) ? [...rows, ...twins] : rows, finalTokens };
}

/** Logits of row `index` of a result. */
export function readRow(result: ScoreResult, index: number, config: GenerateConfig): RowLogits {
  const { logits, layers } = result[index]!;
  const row = { logits: logits[0]!, layers: layers.map((rows) => rows[0]!) };
  return twinsOf(config) ? { ...row, unconditional: result[index + result.length / 2]!.logits[0]! } : row;
}

function layersOf({ dolaLayers }: GenerateConfig): Pick<Row, 'layers'> {
  return dolaLayers.length === 0 ? {} : { layers: dolaLayers };
}

function twinsOf(config: GenerateConfig): boolean {
  return config.guidanceScale !== 1;
}

function negativePrompt({ prompt, config }: Decoding): Row {
  return { from: null, tokens: config.negativePromptIds ?? prompt.slice(-1), scored: 'last' };
}
