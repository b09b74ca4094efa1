/**
 * GPT-J on llama.cpp: the `LanguageModel` interface over one llama.cpp context.
 *
 * States: open → (evaluating ↔ open) → closed. The library takes one call at a time: a call during an evaluation is a
 * mistake of the caller and throws.
 *
 * Invariant: `#cells` mirrors llama.cpp's unified KV cache, in which all sequences share one pool of cells and `fork` marks
 * cells as shared without a copy. So a full cache is detected before the library is called.
 *
 * Rounding: llama.cpp computes one row with other kernels than several rows, so the last bits of a row's logits depend on
 * the number of rows in its batch, but not on their sequences. The size of the effect depends on the weights' type and on
 * the length of the sequence; docs/generate.md lists measurements. With flash attention, which every context but an exact
 * one uses, a single row over 512 positions or more is less precise still, and depends on the number of threads.
 */
import {
  type AdapterUse,
  adaptersKey,
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
import { singleThreadMs, ThreadGovernor } from '../machine/thread-governor.ts';
import { BatchMemory, MAX_BATCH_TOKENS } from './batch-memory.ts';
import { CellValues } from './cell-values.ts';
import { copyOf, DecodedOutput, notFinite } from './decoded-output.ts';
import type { LlamaLibrary } from './native.ts';
import type { Pointer } from './native-structs.ts';

/** Maximum number of sequences of one context: llama.cpp's limit LLAMA_MAX_SEQ. */
export const MAX_SEQUENCES = 256;
/**
 * llama.cpp's CPU kernels for quantised weights compute this many tokens of a batch at a time. Each of the remaining tokens
 * reads all weights again (measured on 6B q4_0: 226 ms for 3 tokens and 173 ms for 4, 382 ms for 7 and 299 ms for 8).
 */
const KERNEL_TOKENS = 4;
/** Holds the token that fills a batch up to a multiple of `KERNEL_TOKENS`, and cells between decodes. */
const IDLE_SEQUENCE = MAX_SEQUENCES - 1;
/** Holds cells between decodes. */
const SCRATCH_SEQUENCE = MAX_SEQUENCES - 2;

/** The parts of a model. It owns the context; the other parts are shared and outlive it. */
export interface LlamaParts {
  readonly library: LlamaLibrary;
  readonly config: GptjConfig;
  readonly context: Pointer;
  readonly cacheType: 'f16' | 'f32';
  /** By `adapterId`; they come and go between evaluations. */
  readonly adapters: ReadonlyMap<string, Pointer>;
  /** While its first byte is not zero, the context's evaluations abort. */
  readonly abortFlag: Uint8Array;
  /** Threads of a decode. */
  readonly threads: number;
  /** Whether fewer threads may compute while other processes use the cores. */
  readonly yieldsCores: boolean;
  /** Cores that this process can have beside others; null where that is not known yet. */
  readonly freeCores: () => number | null;
  /** Set the number of threads of the next decodes. */
  readonly useThreads: (threads: number) => void;
  /** Called once, when the model closes: frees the context. */
  readonly free: () => void;
}

/** The adapters of a sequence, as llama.cpp takes them. */
interface ContextAdapters {
  /** The same for equal ones. */
  readonly key: string;
  readonly pointers: BigUint64Array;
  readonly scales: Float32Array;
}

const NO_ADAPTERS: ContextAdapters = { key: '', pointers: new BigUint64Array(0), scales: new Float32Array(0) };

export class LlamaModel implements LanguageModel {
  readonly config: GptjConfig;
  readonly limits: ModelLimits;

  readonly #parts: LlamaParts;
  readonly #memory: Pointer;
  readonly #cells: CacheCells<ContextAdapters>;
  readonly #values: CellValues;
  /**
   * Sequences whose keys or values are not finite from this position on. The library holds none of those positions, which
   * would spoil other sequences (see `cell-values.ts`): what would be computed from them is NaN.
   */
  readonly #overflows = new Map<SequenceId, number>();
  readonly #batch = new BatchMemory();
  readonly #output: DecodedOutput;
  readonly #governor: ThreadGovernor | null;
  #threads: number;
  #embeddings = false;
  /**
   * Whether the running decode may be aborted: one with adapters would leave cells that nothing can read any more, and that may
   * not be finite.
   */
  #isInterruptible = true;
  /** What the context uses now. */
  #adapters = NO_ADAPTERS;
  #running: Promise<unknown> | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: LlamaParts) {
    const { library, context, config } = parts;
    this.#parts = parts;
    this.#threads = parts.yieldsCores ? 1 : parts.threads;
    this.#governor = parts.yieldsCores
      ? new ThreadGovernor({
          maxThreads: parts.threads,
          now: () => performance.now(),
          freeCores: parts.freeCores,
          singleThreadMs: (tokens) => tokens * singleThreadMs(config),
        })
      : null;
    this.config = config;
    this.#memory = library.contextMemory(context);
    this.#output = new DecodedOutput(parts);
    const scratch = [IDLE_SEQUENCE, SCRATCH_SEQUENCE] as const;
    this.#values = new CellValues({ ...parts, memory: this.#memory, scratch });
    this.limits = {
      maxSequences: SCRATCH_SEQUENCE,
      cacheCells: library.contextCells(context),
      maxBatchTokens: MAX_BATCH_TOKENS,
      tokensAtOnce: KERNEL_TOKENS,
    };
    this.#cells = new CacheCells({ cells: this.limits.cacheCells, maxSequences: SCRATCH_SEQUENCE });
  }

  get capabilities(): ModelCapabilities {
    return { earlyExit: false, adapters: [...this.#parts.adapters.keys()] };
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
    const target = this.#cells.fork(source, length);
    if (length > 0) this.#parts.library.sequenceCopy(this.#memory, source, target, 0, length);
    const overflow = this.#overflows.get(source);
    if (overflow !== undefined && overflow < length) this.#overflows.set(target, overflow);
    return target;
  }

  truncate(sequence: SequenceId, length: number): void {
    this.#idle();
    if (length < this.length(sequence)) this.#cut(sequence, length);
  }

  #cut(sequence: SequenceId, length: number): void {
    this.#cells.truncate(sequence, length);
    this.#parts.library.sequenceRemove(this.#memory, sequence, length, -1);
    if (this.#overflows.get(sequence)! >= length) this.#overflows.delete(sequence);
  }

  release(sequence: SequenceId): void {
    this.#idle();
    this.#cells.release(sequence);
    this.#overflows.delete(sequence);
    this.#parts.library.sequenceRemove(this.#memory, sequence, -1, -1);
  }

  async evaluate(steps: readonly Step[], signal?: AbortSignal): Promise<readonly StepResult[]> {
    this.#idle();
    if (signal?.aborted) throw new ModelError('aborted', 'the evaluation was aborted before it began');
    checkSteps(this, steps);
    const { abortFlag } = this.#parts;
    const lengths = steps.map((step) => this.length(step.sequence));
    this.#cells.append(steps.map((step) => ({ sequence: step.sequence, count: step.tokens.length })));
    const abort = () => {
      if (this.#isInterruptible) abortFlag[0] = 1;
    };
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const running = this.#evaluate(steps, lengths, signal);
      this.#running = running;
      return await running;
    } catch (error) {
      for (const [i, step] of steps.entries()) this.#cut(step.sequence, lengths[i]!);
      throw error;
    } finally {
      this.#running = null;
      signal?.removeEventListener('abort', abort);
      abortFlag[0] = 0;
    }
  }

  /** Adapters belong to the context: steps with the same ones are decoded together, the others after them. */
  async #evaluate(
    steps: readonly Step[],
    lengths: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<readonly StepResult[]> {
    const results: StepResult[] = [];
    for (const [at, step] of steps.entries()) {
      if (this.#overflows.has(step.sequence)) results[at] = notFinite(step, this.config);
    }
    const groups = this.#groups(steps);
    for (const [i, { adapters, members }] of groups.entries()) {
      if (signal?.aborted) throw decodeError(ABORTED);
      this.#useAdapters(adapters);
      this.#isInterruptible = adapters === NO_ADAPTERS;
      const part = members.map((at) => steps[at]!);
      const from = members.map((at) => lengths[at]!);
      const computed = await (adapters === NO_ADAPTERS
        ? this.#decodeSteps(part, from)
        : this.#decodeChecked(part, from));
      if (signal?.aborted) throw decodeError(ABORTED);
      // The next decode overwrites the library's output.
      const isLast = i === groups.length - 1;
      for (const [j, at] of members.entries()) results[at] = isLast ? computed[j]! : copyOf(computed[j]!);
    }
    return results;
  }

  #groups(steps: readonly Step[]): readonly { readonly adapters: ContextAdapters; readonly members: number[] }[] {
    const groups = new Map<string, { readonly adapters: ContextAdapters; readonly members: number[] }>();
    for (const [at, { sequence }] of steps.entries()) {
      if (this.#overflows.has(sequence)) continue;
      const adapters = this.#cells.adapters(sequence) ?? NO_ADAPTERS;
      const group = groups.get(adapters.key) ?? { adapters, members: [] };
      group.members.push(at);
      groups.set(adapters.key, group);
    }
    // The ones in use first: a change makes llama.cpp plan its graph again.
    const inUse = ({ adapters }: { readonly adapters: ContextAdapters }): number =>
      adapters.key === this.#adapters.key ? 0 : 1;
    return [...groups.values()].sort((a, b) => inUse(a) - inUse(b));
  }

  #useAdapters(adapters: ContextAdapters): void {
    if (adapters.key === this.#adapters.key) return;
    const { library, context } = this.#parts;
    if (!library.useAdapters(context, adapters.pointers, adapters.scales)) {
      throw new ModelError('engine_failed', `llama.cpp refused the adapters ${adapters.key}`);
    }
    this.#adapters = adapters;
  }

  /**
   * Decode steps with adapters, which can take numbers beyond those of floats. Steps that are not finite have spoiled those
   * beside them: each is decoded again alone.
   */
  async #decodeChecked(steps: readonly Step[], lengths: readonly number[]): Promise<readonly StepResult[]> {
    const results = await this.#decodeSteps(steps, lengths);
    const endOf = (i: number): number => lengths[i]! + steps[i]!.tokens.length;
    const first = steps.findIndex(({ sequence }, i) => !this.#values.areFinite(sequence, lengths[i]!, endOf(i)));
    if (first < 0) return results;
    const clear = this.#values.prepareClear(steps[first]!.sequence, lengths[first]!, endOf(first));
    for (const [i, { sequence }] of steps.entries()) {
      this.#parts.library.sequenceRemove(this.#memory, sequence, lengths[i]!, -1);
    }
    clear();
    if (steps.length === 1) {
      this.#overflows.set(steps[0]!.sequence, lengths[0]!);
      return [notFinite(steps[0]!, this.config)];
    }
    const alone: StepResult[] = [];
    for (const [i, step] of steps.entries()) {
      const [result] = await this.#decodeChecked([step], [lengths[i]!]);
      alone.push(copyOf(result!));
    }
    return alone;
  }

  async #decodeSteps(steps: readonly Step[], lengths: readonly number[]): Promise<readonly StepResult[]> {
    const { library, context } = this.#parts;
    const rows = this.#batch.fill(steps, lengths);
    // A full group of kernel tokens is faster than a group that lacks one token.
    const filledUp = this.#batch.value.n_tokens % KERNEL_TOKENS === KERNEL_TOKENS - 1 && this.#cells.free > 0;
    if (filledUp) this.#batch.addIdle(IDLE_SEQUENCE);
    const hidden = steps.some((step) => step.hidden === true && step.scored !== 'none');
    if (hidden !== this.#embeddings) {
      library.setEmbeddings(context, hidden);
      this.#embeddings = hidden;
    }
    try {
      const code = await this.#decode();
      if (code !== 0) throw decodeError(code);
    } finally {
      if (filledUp) library.sequenceRemove(this.#memory, IDLE_SEQUENCE, -1, -1);
    }
    return this.#output.results(steps, rows, hidden);
  }

  snapshot(sequence: SequenceId): Uint8Array {
    this.#idle();
    const { library, context } = this.#parts;
    this.length(sequence);
    const bytes = new Uint8Array(library.stateSize(context, sequence));
    const written = library.stateRead(context, bytes, sequence);
    if (written !== bytes.byteLength) {
      throw new ModelError('engine_failed', `llama.cpp wrote ${written} of ${bytes.byteLength} bytes of a sequence`);
    }
    return bytes;
  }

  restore(bytes: Uint8Array, length: number, adapters: readonly AdapterUse[] = []): SequenceId {
    this.#idle();
    const { library, context } = this.#parts;
    if (!this.#values.isFiniteState(bytes, length)) {
      throw new ModelError('snapshot_invalid', 'expected keys and values that are finite numbers');
    }
    const sequence = this.#cells.restore(length, this.#resolve(adapters));
    const { result: read, errors } = library.logged(() => library.stateWrite(context, bytes, sequence));
    if (read === bytes.byteLength && library.lastPosition(this.#memory, sequence) === length - 1) return sequence;
    this.release(sequence);
    throw new ModelError(
      'snapshot_invalid',
      `expected keys and values of ${length} positions of this model: llama.cpp read ${read} of ${bytes.byteLength} bytes. ${errors}`,
    );
  }

  /** Let the context use no adapter, so that one can be freed. */
  leaveAdapters(): void {
    this.#idle();
    this.#useAdapters(NO_ADAPTERS);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#running?.catch(() => {});
    this.#output.clear();
    this.#parts.free();
  }

  /** Decode the batch, with the number of threads that the governor chooses. */
  async #decode(): Promise<number> {
    const { library, context, useThreads } = this.#parts;
    const governor = this.#governor;
    if (governor === null) return await library.decode(context, this.#batch.value);
    const tokens = this.#batch.value.n_tokens;
    const threads = governor.threads(tokens);
    if (threads !== this.#threads) {
      useThreads(threads);
      this.#threads = threads;
    }
    const startedAt = performance.now();
    const before = process.cpuUsage();
    const code = await library.decode(context, this.#batch.value);
    const { user, system } = process.cpuUsage(before);
    const wallMs = performance.now() - startedAt;
    if (code === 0) governor.measured({ tokens, threads, wallMs, cpuMs: (user + system) / 1000 });
    return code;
  }

  #resolve(adapters: readonly AdapterUse[]): ContextAdapters | null {
    const uses = resolveAdapters(this.#parts.adapters, adapters);
    if (uses === null) return null;
    return {
      key: adaptersKey(adapters),
      pointers: BigUint64Array.from(uses, ({ adapter }) => adapter),
      scales: Float32Array.from(uses, ({ scale }) => scale),
    };
  }

  #idle(): void {
    if (this.#closing !== null) throw new ModelError('closed', 'the model is closed');
    if (this.#running !== null) throw new Error('one call at a time: an evaluation is still running');
  }
}

/** Return code of `llama_decode` when the abort callback stopped it. */
const ABORTED = 2;

function decodeError(code: number): ModelError {
  if (code === ABORTED) return new ModelError('aborted', 'the evaluation was aborted');
  if (code === 1) return new ModelError('cache_full', 'llama.cpp found no free place in its KV cache');
  return new ModelError('engine_failed', `llama_decode failed with code ${code}`);
}
