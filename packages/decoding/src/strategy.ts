/**
 * How a decoding strategy talks to whatever scores tokens for it.
 *
 * A strategy is a generator. It yields an `Ask`: the rows (token sequences) it wants scored next. It is resumed with
 * one `RowResult` per row. Rows of an ask are built from rows of the ask before: row `from`, cut to `keep` positions,
 * extended by `tokens`. Rows of the previous ask that no row continues are dropped. So a beam step is
 * `{from: parentBeam, tokens: [token]}`, a returned sequence forks the prompt's row, a rejected draft is a `keep`.
 *
 * The driver decides how rows become sequences of an engine, in which batch, next to whose rows.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { TokenReport } from './generate-outcome.ts';

export interface Row {
  /** Index of the row of the previous ask to continue; null starts from nothing. */
  readonly from: number | null;
  /** Positions of that row to keep before appending. Default: all of them. */
  readonly keep?: number;
  /** Tokens to append. Empty carries the row along unscored (`scored` must then be 'none'). */
  readonly tokens: readonly TokenId[];
  /** Which of the appended positions are scored. */
  readonly scored: 'none' | 'last' | 'all';
  /** Also return the hidden states of the scored positions. */
  readonly hidden?: boolean;
  /** Also return early-exit logits of these layers (DoLa; reference engine only). */
  readonly layers?: readonly number[];
}

/** Tokens that are final: they will stand in the output whatever comes. What a stream can send on. */
export interface FinalTokens {
  /** Index of the returned sequence, 0 … num_return_sequences-1. */
  readonly index: number;
  readonly tokens: readonly TokenId[];
  /** One per token, where log-probabilities were asked for. */
  readonly reports?: readonly TokenReport[];
}

export interface ScoreRequest {
  readonly rows: readonly Row[];
  /** Tokens settled since the previous ask. Beam modes settle nothing before the end. */
  readonly finalTokens: readonly FinalTokens[];
}

/** One row's answer. Arrays are views that die with the next ask: copy what must last. */
export interface RowResult {
  /** Raw float32 logits, one row of vocabSize per scored position. */
  readonly logits: readonly Float32Array[];
  readonly hidden: readonly Float32Array[];
  /** `layers[i][j]`: i-th asked layer, j-th scored position. */
  readonly layers: readonly (readonly Float32Array[])[];
}

export type ScoreResult = readonly RowResult[];
export type Strategy<Outcome> = Generator<ScoreRequest, Outcome, ScoreResult>;
