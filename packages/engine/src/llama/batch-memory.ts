import type { SequenceId, Step } from '@gptj-cloud/model';
import { addressOf } from './native.ts';
import type { Batch } from './native-structs.ts';

/** Maximum number of tokens in one `llama_decode`: llama.cpp's logical batch. */
export const MAX_BATCH_TOKENS = 2048;

/**
 * The arrays of one `llama_batch`, allocated once and filled for every call. Invariant: the addresses in `value` are those
 * of this object's arrays, which live as long as it does.
 */
export class BatchMemory {
  readonly value: Batch = {
    n_tokens: 0,
    token: 0n,
    embd: null,
    pos: 0n,
    n_seq_id: 0n,
    seq_id: 0n,
    logits: 0n,
  };
  readonly #tokens = new Int32Array(MAX_BATCH_TOKENS);
  readonly #positions = new Int32Array(MAX_BATCH_TOKENS);
  readonly #sequenceCounts = new Int32Array(MAX_BATCH_TOKENS).fill(1);
  readonly #sequences = new Int32Array(MAX_BATCH_TOKENS);
  /** `seq_id[i]` is a pointer to the i-th token's list of sequences: here always one entry of `#sequences`. */
  readonly #sequencePointers = new BigUint64Array(MAX_BATCH_TOKENS);
  readonly #scored = new Int8Array(MAX_BATCH_TOKENS);

  constructor() {
    const base = addressOf(this.#sequences);
    for (let i = 0; i < MAX_BATCH_TOKENS; i++) this.#sequencePointers[i] = base + BigInt(4 * i);
    this.value.token = addressOf(this.#tokens);
    this.value.pos = addressOf(this.#positions);
    this.value.n_seq_id = addressOf(this.#sequenceCounts);
    this.value.seq_id = addressOf(this.#sequencePointers);
    this.value.logits = addressOf(this.#scored);
  }

  /** Append one unscored token, at position 0 of `sequence`, to the steps that `fill` wrote. */
  addIdle(sequence: SequenceId): void {
    const at = this.value.n_tokens;
    this.#tokens[at] = 0;
    this.#positions[at] = 0;
    this.#sequences[at] = sequence;
    this.#scored[at] = 0;
    this.value.n_tokens = at + 1;
  }

  /**
   * Fill the batch with steps. Returns the number of scored positions.
   *
   * @param lengths length of each step's sequence before the step
   */
  fill(steps: readonly Step[], lengths: readonly number[]): number {
    let at = 0;
    let rows = 0;
    for (const [i, step] of steps.entries()) {
      const last = step.tokens.length - 1;
      for (const [j, token] of step.tokens.entries()) {
        this.#tokens[at] = token;
        this.#positions[at] = lengths[i]! + j;
        this.#sequences[at] = step.sequence;
        const scored = step.scored === 'all' || (step.scored === 'last' && j === last);
        this.#scored[at] = scored ? 1 : 0;
        if (scored) rows++;
        at++;
      }
    }
    this.value.n_tokens = at;
    return rows;
  }
}
