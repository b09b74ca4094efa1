/**
 * Speculative decoding: a driver guesses the next tokens of a row, scores them together with the row's own token, and the
 * strategy follows them for as long as they are the tokens that it chooses anyway. So a draft changes the speed, not the text:
 * also sampled tokens are drawn by the noise of their own position, whatever was drafted.
 */
import type { TokenId } from '@gptj-cloud/model';

/** What a driver needs to know to draft tokens of a row. */
export interface Drafting {
  /** Prompt and generated tokens, the row's own token last. The strategy appends the tokens that it chooses to this array. */
  readonly sequence: readonly TokenId[];
  /** Longest draft, at least 1. */
  readonly maxTokens: number;
  /** Tokens that this generation can still choose, the next one included. */
  readonly remaining: number;
  /**
   * The token that the request's parameters choose after `sequence` and `draft` by the logits of another model; a sampled one
   * is drawn by the noise with which this position will be drawn. Null: the draft ends here.
   */
  guess(logits: Float32Array, draft: readonly TokenId[]): TokenId | null;
}
