/**
 * GPT-J on this project's own kernels: the `LanguageModel` interface over one `KernelContext`.
 *
 * States: open → (evaluating ↔ open) → closed. A call during an evaluation is a mistake of the caller and throws.
 *
 * Exactness: a row's logits have the same bits whatever else is in the batch, however its sequence was sliced, forked or
 * restored, on any number of threads and on every instruction set.
 */
import { setImmediate } from 'node:timers/promises';
import {
  type AdapterUses,
  adapterUses,
  addressOf,
  type InstructionSet,
  KernelContext,
  type KernelLibrary,
  MAX_ROWS,
  type Output,
  type PackedAdapter,
  type PackedWeights,
  STEP_ABORTED,
  STEP_DONE,
  type ThreadPool,
} from '@gptj-cloud/kernels';
import {
  type AdapterUse,
  type GptjConfig,
  type LanguageModel,
  type ModelCapabilities,
  ModelError,
  type ModelLimits,
  type SequenceId,
  type Step,
  type StepResult,
} from '@gptj-cloud/model';
import { resolveAdapters } from '../adapters/resolve-adapters.ts';
import { CacheCells } from '../cache-cells.ts';
import { checkSteps } from '../check-steps.ts';

/** Maximum number of open sequences. A sequence costs a list of cells only. */
const MAX_SEQUENCES = 1024;
/** Maximum number of tokens in one `evaluate`. They are computed `MAX_ROWS` at a time. */
const MAX_BATCH_TOKENS = 2048;
/**
 * A step that took longer last time, or has more tokens, is computed on another thread. For the others that takes too long: to
 * wake it and be woken, about a tenth of a millisecond.
 */
const MAX_BLOCKING_MS = 2;
const MAX_BLOCKING_TOKENS = 16;

/** The parts of a model. It owns the context; the others are shared and outlive it. */
export interface KernelParts {
  readonly library: KernelLibrary;
  readonly set: InstructionSet;
  readonly weights: PackedWeights;
  /** By `adapterId`; they come and go between evaluations. */
  readonly adapters: ReadonlyMap<string, PackedAdapter>;
  readonly pool: ThreadPool;
  readonly cacheCells: number;
  readonly cacheType: 'f16' | 'f32';
}

/** Tokens of one step that one run of the kernels computes. */
interface Slice {
  readonly step: number;
  readonly from: number;
  readonly to: number;
}

export class KernelModel implements LanguageModel {
  readonly config: GptjConfig;
  readonly limits: ModelLimits;

  readonly #parts: KernelParts;
  readonly #context: KernelContext;
  readonly #cells: CacheCells<AdapterUses>;
  /** Logits and hidden states of the last evaluation: rows of the vocabulary, then rows of the width. */
  #logits: Float32Array<ArrayBuffer> = new Float32Array(32);
  #hidden: Float32Array<ArrayBuffer> = new Float32Array(32);
  /** Milliseconds of the latest step, by the binary logarithm of its tokens, rounded up. */
  readonly #stepMs: number[] = [];
  #running: Promise<unknown> | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: KernelParts) {
    const { library, set, weights, pool, cacheCells, cacheType } = parts;
    this.#parts = parts;
    this.config = weights.config;
    this.limits = { maxSequences: MAX_SEQUENCES, cacheCells, maxBatchTokens: MAX_BATCH_TOKENS, tokensAtOnce: 1 };
    this.#context = new KernelContext(library, weights, pool, { cells: cacheCells, type: cacheType }, set);
    this.#cells = new CacheCells({ cells: cacheCells, maxSequences: MAX_SEQUENCES });
  }

  get capabilities(): ModelCapabilities {
    return { earlyExit: true, adapters: [...this.#parts.adapters.keys()] };
  }

  get freeCells(): number {
    return this.#cells.free;
  }

  open(adapters: readonly AdapterUse[] = []): SequenceId {
    this.#idle();
    return this.#cells.open(this.#resolve(adapters));
  }

  length(sequence: SequenceId): number {
    return this.#cells.length(sequence);
  }

  fork(source: SequenceId, length: number = this.length(source)): SequenceId {
    this.#idle();
    return this.#cells.fork(source, length);
  }

  truncate(sequence: SequenceId, length: number): void {
    this.#idle();
    this.#cells.truncate(sequence, length);
  }

  release(sequence: SequenceId): void {
    this.#idle();
    this.#cells.release(sequence);
  }

  async evaluate(steps: readonly Step[], signal?: AbortSignal): Promise<readonly StepResult[]> {
    this.#idle();
    if (signal?.aborted) throw aborted(signal);
    checkSteps(this, steps);
    const lengths = steps.map((step) => this.length(step.sequence));
    this.#cells.append(steps.map((step) => ({ sequence: step.sequence, count: step.tokens.length })));
    const abort = (): void => this.#context.abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const running = this.#compute(steps, lengths, signal);
      this.#running = running;
      return await running;
    } catch (error) {
      for (const [i, step] of steps.entries()) this.#cells.truncate(step.sequence, lengths[i]!);
      throw error;
    } finally {
      this.#running = null;
      signal?.removeEventListener('abort', abort);
    }
  }

  argmax(logits: Float32Array): number {
    return this.#parts.library.argmax(logits, this.#parts.set);
  }

  snapshot(sequence: SequenceId): Uint8Array {
    this.#idle();
    const cells = this.#cells.cells(sequence);
    const bytes = new Uint8Array(cells.length * this.#context.bytesOfCell);
    let at = 0;
    for (const rows of this.#context.cachedRows(cells)) {
      bytes.set(rows, at);
      at += rows.byteLength;
    }
    return bytes;
  }

  restore(bytes: Uint8Array, length: number, adapters: readonly AdapterUse[] = []): SequenceId {
    this.#idle();
    const expected = length * this.#context.bytesOfCell;
    if (bytes.byteLength !== expected) {
      throw new ModelError(
        'snapshot_invalid',
        `expected ${expected} bytes of keys and values for ${length} positions, got ${bytes.byteLength}`,
      );
    }
    const sequence = this.#cells.restore(length, this.#resolve(adapters));
    let at = 0;
    for (const rows of this.#context.cachedRows(this.#cells.cells(sequence))) {
      rows.set(bytes.subarray(at, at + rows.byteLength));
      at += rows.byteLength;
    }
    return sequence;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#running?.catch(() => {});
    this.#context.free();
  }

  #resolve(adapters: readonly AdapterUse[]): AdapterUses | null {
    const uses = resolveAdapters(this.#parts.adapters, adapters);
    return uses === null ? null : adapterUses(uses);
  }

  #idle(): void {
    if (this.#closing !== null) throw new ModelError('closed', 'the model is closed');
    if (this.#running !== null) throw new Error('one call at a time: an evaluation is still running');
  }

  /** @param lengths positions of each step's sequence before the step */
  async #compute(
    steps: readonly Step[],
    lengths: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<readonly StepResult[]> {
    const results = this.#makeRoom(steps);
    for (const slices of cut(steps)) {
      const appended = slices.map(({ step, from, to }) => ({
        tokens: steps[step]!.tokens.slice(from, to),
        position: lengths[step]! + from,
        cells: this.#cells.cells(steps[step]!.sequence),
        adapters: this.#cells.adapters(steps[step]!.sequence),
      }));
      await this.#run(appended, outputsOf(steps, slices, results));
      if (signal?.aborted) throw aborted(signal);
    }
    return results;
  }

  async #run(appended: Parameters<KernelContext['run']>[0], outputs: readonly Output[]): Promise<void> {
    const tokens = appended.reduce((sum, part) => sum + part.tokens.length, 0);
    const size = Math.ceil(Math.log2(tokens));
    const blocks = tokens <= MAX_BLOCKING_TOKENS && (this.#stepMs[size] ?? Number.POSITIVE_INFINITY) <= MAX_BLOCKING_MS;
    // Messages are read, timers called and aborts heard between steps.
    if (blocks) await setImmediate();
    const startedAt = performance.now();
    const code = await this.#context.run(appended, outputs, { blocks });
    this.#stepMs[size] = performance.now() - startedAt;
    if (code !== STEP_DONE && code !== STEP_ABORTED) {
      throw new ModelError('engine_failed', `the kernels failed with code ${code}`);
    }
  }

  /** Results of all steps as views of this model's buffers, which hold nothing yet. */
  #makeRoom(steps: readonly Step[]): readonly StepResult[] {
    const { vocabSize, embeddingSize } = this.config;
    let logits = 0;
    let hidden = 0;
    for (const step of steps) {
      logits += scoredRows(step) * (1 + (step.layers?.length ?? 0));
      if (step.hidden === true) hidden += scoredRows(step);
    }
    this.#logits = roomFor(this.#logits, logits * vocabSize);
    this.#hidden = roomFor(this.#hidden, hidden * embeddingSize);
    const logitsRows = rowsOf(this.#logits, vocabSize);
    const hiddenRows = rowsOf(this.#hidden, embeddingSize);
    return steps.map((step) => ({
      logits: logitsRows(scoredRows(step)),
      hidden: hiddenRows(step.hidden === true ? scoredRows(step) : 0),
      layers: (step.layers ?? []).map(() => logitsRows(scoredRows(step))),
    }));
  }
}

/** Each call takes the next `count` rows of an array. */
function rowsOf(array: Float32Array, width: number): (count: number) => readonly Float32Array[] {
  let taken = 0;
  return (count) => {
    const first = taken;
    taken += count;
    return Array.from({ length: count }, (_, i) => array.subarray((first + i) * width, (first + i + 1) * width));
  };
}

function scoredRows({ scored, tokens }: Step): number {
  return scored === 'all' ? tokens.length : scored === 'last' ? 1 : 0;
}

/** Cut steps into runs of at most `MAX_ROWS` tokens, in order. */
function cut(steps: readonly Step[]): readonly (readonly Slice[])[] {
  const runs: Slice[][] = [];
  let room = 0;
  for (const [step, { tokens }] of steps.entries()) {
    for (let from = 0; from < tokens.length; ) {
      if (room === 0) {
        runs.push([]);
        room = MAX_ROWS;
      }
      const to = Math.min(tokens.length, from + room);
      runs.at(-1)!.push({ step, from, to });
      room -= to - from;
      from = to;
    }
  }
  return runs;
}

/** The rows of one run that are scored, with the views that receive their logits. */
function outputsOf(
  steps: readonly Step[],
  slices: readonly Slice[],
  results: readonly StepResult[],
): readonly Output[] {
  const outputs: Output[] = [];
  let row = 0;
  for (const { step, from, to } of slices) {
    const { tokens, layers = [] } = steps[step]!;
    const result = results[step]!;
    const firstScored = tokens.length - result.logits.length;
    for (let at = from; at < to; at++, row++) {
      const scored = at - firstScored;
      if (scored < 0) continue;
      const hidden = result.hidden[scored];
      const logits = addressOf(result.logits[scored]!);
      outputs.push({ row, layer: -1, logits, hidden: hidden === undefined ? null : addressOf(hidden) });
      for (const [i, layer] of layers.entries()) {
        outputs.push({ row, layer, logits: addressOf(result.layers[i]![scored]!), hidden: null });
      }
    }
  }
  return outputs;
}

function roomFor(array: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  return array.length >= length ? array : new Float32Array(Math.ceil(length * 1.25));
}

function aborted(signal: AbortSignal): ModelError {
  return new ModelError('aborted', 'the evaluation was aborted', { cause: signal.reason });
}
