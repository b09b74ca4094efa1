/**
 * The interface between decoding and inference engines: decoding strategies take a `LanguageModel`, engines implement
 * one.
 *
 * Terms
 * - **position**: one token of one sequence, with its keys and values in the KV cache.
 * - **cell**: the storage of one position. Forked sequences share the cells of their common prefix.
 * - **sequence**: an ordered list of positions, grown at the end by `evaluate` and cut at the end by `truncate`.
 *
 * Invariants
 * - One `evaluate` at a time; `fork`, `truncate` and `release` only between evaluations.
 * - An `evaluate` that throws has changed nothing: every sequence is as long as before the call.
 * - Logits depend on tokens and positions alone, never on which cells or which other sequences are used,
 *   up to the rounding that an implementation documents.
 */
import type { AdapterUse } from './adapter.ts';
import type { GptjConfig } from './gptj-config.ts';
import type { TokenId } from './token.ts';

/** Handle of a sequence, valid from `open` or `fork` until `release`. */
export type SequenceId = number;

/** Which positions of a step's tokens are scored. */
export type Scored = 'none' | 'last' | 'all';

/** Append `tokens` to `sequence`, and select which of the new positions are scored. */
export interface Step {
  readonly sequence: SequenceId;
  /** At least one token. */
  readonly tokens: readonly TokenId[];
  readonly scored: Scored;
  /** Also return the hidden state after the final layer norm at the scored positions. Default false. */
  readonly hidden?: boolean;
  /**
   * Also return `lm_head(h_l)` at the scored positions for these layers, 0 = embedding output (early exit, DoLa).
   * Only engines whose `capabilities.earlyExit` is true accept it.
   */
  readonly layers?: readonly number[];
}

/** Result of one step. The arrays are views, valid until the next call on the model: copy them to keep them. */
export interface StepResult {
  /** One row of `vocabSize` raw logits per scored position, in order. */
  readonly logits: readonly Float32Array[];
  /** One row of `embeddingSize` per scored position where the step has `hidden`, else empty. */
  readonly hidden: readonly Float32Array[];
  /** `layers[i][j]`: logits of the i-th requested layer at the j-th scored position. Empty without `layers`. */
  readonly layers: readonly (readonly Float32Array[])[];
}

export interface ModelCapabilities {
  /** Whether steps may set `layers`. */
  readonly earlyExit: boolean;
  /** Names of the adapters that sequences may use. */
  readonly adapters: readonly string[];
}

export interface ModelLimits {
  /** Sequences that may be open at the same time. */
  readonly maxSequences: number;
  /** Cells of the KV cache, shared by all sequences. */
  readonly cacheCells: number;
  /** Maximum number of tokens in one `evaluate`, summed over its steps. */
  readonly maxBatchTokens: number;
  /** Tokens that share one reading of the weights: a batch of decoding steps is best a multiple of it. 1: any size is. */
  readonly tokensAtOnce: number;
}

export interface LanguageModel {
  readonly config: GptjConfig;
  readonly limits: ModelLimits;
  readonly capabilities: ModelCapabilities;
  /** Number of free cells. A step of n tokens needs n of them. */
  readonly freeCells: number;

  /**
   * Start an empty sequence. Its tokens are computed with these adapters (default: none), and so are those of its forks.
   * Sequences with different adapters may be evaluated together. Throws `too_many_sequences`, `unknown_adapter`.
   */
  open(adapters?: readonly AdapterUse[]): SequenceId;
  /** Positions in the sequence so far. */
  length(sequence: SequenceId): number;
  /**
   * A new sequence with the first `length` positions of `source` (default: all), sharing their cells: no copy,
   * no computation. Later tokens of either do not affect the other. Throws `too_many_sequences`.
   */
  fork(source: SequenceId, length?: number): SequenceId;
  /** Drop the positions from `length` on. A no-op when the sequence is not longer. */
  truncate(sequence: SequenceId, length: number): void;
  /** Release the sequence. Frees the cells that no other sequence shares. */
  release(sequence: SequenceId): void;

  /**
   * Append every step's tokens, all in one batch, and score them. At most one step per sequence.
   *
   * Throws `cache_full` (not enough free cells), `context_full` (a sequence would pass `config.contextLength`),
   * `batch_too_large`, `aborted` (the signal fired while it ran) and `engine_failed`; the state is then unchanged.
   */
  evaluate(steps: readonly Step[], signal?: AbortSignal): Promise<readonly StepResult[]>;

  /**
   * Index of the largest of a row of logits, the lowest on ties, NaN ignored; -1 when all are -inf. Absent where the model
   * has no faster way than JavaScript.
   */
  argmax?(logits: Float32Array): number;

  /**
   * Keys and values of a sequence as bytes for {@link LanguageModel.restore}, in this process or a later one. Their
   * layout depends on the implementation: restore them only with the same weights, cache types and release.
   */
  snapshot(sequence: SequenceId): Uint8Array;
  /**
   * A new sequence of `length` positions, from bytes that `snapshot` returned for that length. It continues like
   * the original sequence. The caller must ensure the bytes' integrity: implementations check sizes, not contents.
   *
   * Keys and values depend on the adapters of the sequence: name the same ones.
   *
   * Throws `snapshot_invalid`, `cache_full`, `too_many_sequences`, `unknown_adapter`; nothing has changed then.
   */
  restore(bytes: Uint8Array, length: number, adapters?: readonly AdapterUse[]): SequenceId;

  /** Free everything. Idempotent; waits for a running `evaluate`. */
  close(): Promise<void>;
}
