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
import { floatsAt, type LlamaLibrary } from './native.ts';
import type { Pointer } from './native-structs.ts';

/** Maximum number of sequences of one context: llama.cpp's limit LLAMA_MAX_SEQ. */
export const MAX_SEQUENCES = 256;
/**
 * llama.cpp's CPU kernels for quantised weights compute this many tokens of a batch at a time. Each of the remaining tokens
 * reads all weights again (measured on 6B q4_0: 226 ms for 3 tokens and 173 ms for 4, 382 ms for 7 and 299 ms for 8).
 */
const KERNEL_TOKENS = 4;
/** Holds the token that fills a batch up to a multiple of `KERNEL_TOKENS`. */
const IDLE_SEQUENCE = MAX_SEQUENCES - 1;

/** The parts of a model. It owns the context; the other parts are shared and outlive it. */
export interface LlamaParts {
  readonly library: LlamaLibrary;
  readonly config: GptjConfig;
  readonly context: Pointer;
  /** By name. */
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
  readonly capabilities: ModelCapabilities;

  readonly #parts: LlamaParts;
  readonly #memory: Pointer;
  readonly #cells: CacheCells<ContextAdapters>;
  readonly #batch = new BatchMemory();
  readonly #views = new Map<Pointer, Float32Array>();
  readonly #governor: ThreadGovernor | null;
  #threads: number;
  #embeddings = false;
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
    this.capabilities = { earlyExit: false, adapters: [...parts.adapters.keys()] };
    this.#memory = library.contextMemory(context);
    this.limits = {
      maxSequences: IDLE_SEQUENCE,
      cacheCells: library.contextCells(context),
      maxBatchTokens: MAX_BATCH_TOKENS,
      tokensAtOnce: KERNEL_TOKENS,
    };
    this.#cells = new CacheCells({ cells: this.limits.cacheCells, maxSequences: IDLE_SEQUENCE });
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
    return target;
  }

  truncate(sequence: SequenceId, length: number): void {
    this.#idle();
    if (length >= this.length(sequence)) return;
    this.#cells.truncate(sequence, length);
    this.#parts.library.sequenceRemove(this.#memory, sequence, length, -1);
  }

  release(sequence: SequenceId): void {
    this.#idle();
    this.#cells.release(sequence);
    this.#parts.library.sequenceRemove(this.#memory, sequence, -1, -1);
  }

  async evaluate(steps: readonly Step[], signal?: AbortSignal): Promise<readonly StepResult[]> {
    this.#idle();
    if (signal?.aborted) throw new ModelError('aborted', 'the evaluation was aborted before it began');
    checkSteps(this, steps);
    const { library, abortFlag } = this.#parts;
    const lengths = steps.map((step) => this.length(step.sequence));
    this.#cells.append(steps.map((step) => ({ sequence: step.sequence, count: step.tokens.length })));
    const abort = () => {
      abortFlag[0] = 1;
    };
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const running = this.#evaluate(steps, lengths, signal);
      this.#running = running;
      return await running;
    } catch (error) {
      for (const [i, step] of steps.entries()) {
        this.#cells.truncate(step.sequence, lengths[i]!);
        library.sequenceRemove(this.#memory, step.sequence, lengths[i]!, -1);
      }
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
    const groups = this.#groups(steps);
    const results: StepResult[] = [];
    for (const [i, { adapters, members }] of groups.entries()) {
      this.#useAdapters(adapters);
      const part = members.map((at) => steps[at]!);
      const computed = await this.#decodeSteps(
        part,
        members.map((at) => lengths[at]!),
        signal,
      );
      // The next decode overwrites the library's output.
      const isLast = i === groups.length - 1;
      for (const [j, at] of members.entries()) results[at] = isLast ? computed[j]! : copyOf(computed[j]!);
    }
    return results;
  }

  #groups(steps: readonly Step[]): readonly { readonly adapters: ContextAdapters; readonly members: number[] }[] {
    const groups = new Map<string, { readonly adapters: ContextAdapters; readonly members: number[] }>();
    for (const [at, { sequence }] of steps.entries()) {
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

  async #decodeSteps(
    steps: readonly Step[],
    lengths: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<readonly StepResult[]> {
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
      // If the signal fired too late to stop the library, the result is still discarded.
      if (code !== 0 || signal?.aborted) throw decodeError(code === 0 ? ABORTED : code);
    } finally {
      if (filledUp) library.sequenceRemove(this.#memory, IDLE_SEQUENCE, -1, -1);
    }
    return this.#results(steps, rows, hidden);
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
    const sequence = this.#cells.restore(length, this.#resolve(adapters));
    const { result: read, errors } = library.logged(() => library.stateWrite(context, bytes, sequence));
    if (read === bytes.byteLength && library.lastPosition(this.#memory, sequence) === length - 1) return sequence;
    this.release(sequence);
    throw new ModelError(
      'snapshot_invalid',
      `expected keys and values of ${length} positions of this model: llama.cpp read ${read} of ${bytes.byteLength} bytes. ${errors}`,
    );
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#running?.catch(() => {});
    this.#views.clear();
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

  /**
   * Cut the library's output into the results of the steps. It has one row per scored position in batch order; while
   * hidden states are enabled, llama.cpp outputs a row for every position of the batch.
   */
  #results(steps: readonly Step[], scoredRows: number, everyPosition: boolean): readonly StepResult[] {
    const { library, context, config } = this.#parts;
    const { vocabSize, embeddingSize } = config;
    const rows = everyPosition ? steps.reduce((sum, { tokens }) => sum + tokens.length, 0) : scoredRows;
    const logits = rows === 0 ? null : this.#view(library.logits(context), rows * vocabSize);
    const hidden = everyPosition ? this.#view(library.embeddings(context), rows * embeddingSize) : null;
    let next = 0;
    return steps.map((step) => {
      const scored = step.scored === 'all' ? step.tokens.length : step.scored === 'last' ? 1 : 0;
      next += everyPosition ? step.tokens.length : scored;
      const first = next - scored;
      const cut = (values: Float32Array | null, width: number): Float32Array[] =>
        values === null
          ? []
          : Array.from({ length: scored }, (_, i) => values.subarray((first + i) * width, (first + i + 1) * width));
      return {
        logits: cut(logits, vocabSize),
        hidden: step.hidden === true ? cut(hidden, embeddingSize) : [],
        layers: [],
      };
    });
  }

  /** A view of the library's output. The library reuses a few buffers, so views are kept by address. */
  #view(address: Pointer | null, count: number): Float32Array {
    if (address === null)
      throw new ModelError('engine_failed', 'llama.cpp returned no output for a batch that it decoded');
    let view = this.#views.get(address);
    if (view === undefined || view.length < count) {
      if (this.#views.size > 8) this.#views.clear(); // output buffers were reallocated: drop the old views
      view = floatsAt(address, count);
      this.#views.set(address, view);
    }
    return view.subarray(0, count);
  }
}

function copyOf({ logits, hidden, layers }: StepResult): StepResult {
  const copy = (rows: readonly Float32Array[]): readonly Float32Array[] => rows.map((row) => row.slice());
  return { logits: copy(logits), hidden: copy(hidden), layers: layers.map(copy) };
}

/** Return code of `llama_decode` when the abort callback stopped it. */
const ABORTED = 2;

function decodeError(code: number): ModelError {
  if (code === ABORTED) return new ModelError('aborted', 'the evaluation was aborted');
  if (code === 1) return new ModelError('cache_full', 'llama.cpp found no free place in its KV cache');
  return new ModelError('engine_failed', `llama_decode failed with code ${code}`);
}
