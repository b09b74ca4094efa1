/**
 * The protocol between a decoding strategy and the driver that scores tokens for it.
 *
 * A strategy is a generator. It yields a `ScoreRequest`: the rows (token sequences) to score next. It is resumed with
 * one `RowResult` per row. Rows of a request continue rows of the previous request: row `from`, cut to `keep` positions,
 * extended by `tokens`. Rows of the previous request that no row continues are dropped. So a beam step is
 * `{from: parentBeam, tokens: [token]}`, a returned sequence forks the prompt's row, a rejected draft is a `keep`.
 *
 * The driver decides how rows become sequences of an engine, and in which batch.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { Drafting } from './drafting.ts';
import type { BeamCandidate, TokenReport } from './generate-outcome.ts';

export interface Row {
  /** Index of the row of the previous request to continue; null starts an empty row. */
  readonly from: number | null;
  /** Positions of that row to keep before appending. Default: all of them. */
  readonly keep?: number;
  /** Tokens to append. Empty carries the row along unscored (`scored` must then be 'none'). */
  readonly tokens: readonly TokenId[];
  /**
   * The driver may append a draft to `tokens` and return it as `drafted`; all of its positions are scored. They do not count
   * as computed. Only where `scored` is 'all'.
   */
  readonly drafting?: Drafting;
  /** Which of the appended positions are scored. */
  readonly scored: 'none' | 'last' | 'all';
  /** Also return the hidden states of the scored positions. */
  readonly hidden?: boolean;
  /** Also return early-exit logits of these layers (DoLa; reference engine only). */
  readonly layers?: readonly number[];
}

/** Final tokens: no later step changes them, so they can be streamed. */
export interface FinalTokens {
  /** Index of the returned sequence, 0 … num_return_sequences-1. */
  readonly index: number;
  readonly tokens: readonly TokenId[];
  /** One per token, with `logprobs`. */
  readonly reports?: readonly TokenReport[];
}

export interface ScoreRequest {
  readonly rows: readonly Row[];
  /** Tokens that became final since the previous request. Beam modes have none before the end. */
  readonly finalTokens: readonly FinalTokens[];
  /** What the step before this request considered, with `output_beams`. */
  readonly searched?: readonly BeamCandidate[];
}

/**
 * The scores of one row. Arrays are views that the next request invalidates: copy them to keep them. The strategy may change
 * them.
 */
export interface RowResult {
  /** Raw float32 logits, one row of vocabSize per scored position. */
  readonly logits: readonly Float32Array[];
  readonly hidden: readonly Float32Array[];
  /** `layers[i][j]`: i-th requested layer, j-th scored position. */
  readonly layers: readonly (readonly Float32Array[])[];
  /** The tokens that the driver appended to a row with `drafting`. Default: none. */
  readonly drafted?: readonly TokenId[];
}

export type ScoreResult = readonly RowResult[];
export type Strategy<Outcome> = Generator<ScoreRequest, Outcome, ScoreResult>;
