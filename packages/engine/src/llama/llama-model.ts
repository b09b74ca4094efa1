/**
 * GPT-J on llama.cpp: the `LanguageModel` interface over one llama.cpp context.
 *
 * States: open → (evaluating ↔ open) → closed. The library takes one call at a time, so calls that touch it while an
 * evaluation runs are mistakes of the caller and throw.
 *
 * The KV cache is unified: all sequences share one pool of cells, `fork` marks cells as shared and copies nothing.
 * `CacheCells` keeps this side's account of them, so that a full cache is known before the library is asked.
 *
 * Rounding: llama.cpp uses other kernels for one row than for many, so the last bits of a row's logits depend on how
 * many rows share its batch (about 1e-3 at float16 cache, 1e-5 at float32). Which sequences those are has no effect.
 */
import { totalmem } from 'node:os';
import {
  type GptjConfig,
  type LanguageModel,
  type ModelCapabilities,
  ModelError,
  type ModelLimits,
  type SequenceId,
  type Step,
  type StepResult,
} from '@gptj-cloud/model';
import { CacheCells } from '../cache-cells.ts';
import { checkSteps } from '../check-steps.ts';
import { physicalCores } from './cores.ts';
import { addressOf, floatsAt, GGML_TYPE, type LlamaLibrary, loadLlama, POOLING_NONE, type Pointer } from './native.ts';

export interface LlamaModelOptions {
  /** A GGUF file of the phi2 lift (`gptj convert` writes them). */
  readonly path: string;
  /** What the file's metadata says. */
  readonly config: GptjConfig;
  /** Default: one per physical core. */
  readonly threads?: number;
  /** Positions of KV cache, all sequences together. Default: what a quarter of the memory holds, 2,048 to 16,384. */
  readonly cacheCells?: number;
  /** Storage of keys and values. Default float16; float32 where bits matter more than memory. */
  readonly cacheType?: 'f16' | 'f32';
  /** Layers on the GPU when the library has one. Default: all. */
  readonly gpuLayers?: number;
}

/** Most tokens in one `evaluate`: llama.cpp's logical batch. */
const MAX_BATCH_TOKENS = 2048;
/** Tokens computed at once inside it: llama.cpp's physical batch. */
const PHYSICAL_BATCH_TOKENS = 512;
/** llama.cpp's own limit (LLAMA_MAX_SEQ). */
const MAX_SEQUENCES = 256;

/** Cells that a quarter of this machine's memory holds, at least one full context. */
function defaultCacheCells(config: GptjConfig, bytesPerValue: number): number {
  const bytesPerCell = 2 * config.layerCount * config.embeddingSize * bytesPerValue;
  const affordable = Math.floor(totalmem() / 4 / bytesPerCell / 256) * 256;
  return Math.max(config.contextLength, Math.min(8 * config.contextLength, affordable));
}

/**
 * Load a model. Blocks this process while the weights load: call it in the engine's own process.
 *
 * Throws `library_missing`, `library_unknown`, `model_file_invalid` (with what llama.cpp says of the file),
 * `out_of_memory`.
 */
export function openLlamaModel(options: LlamaModelOptions): LlamaModel {
  const library = loadLlama();
  const { config } = options;
  const cacheType = options.cacheType ?? 'f16';
  const threads = options.threads ?? physicalCores();

  const log: string[] = [];
  library.captureLog(log);
  try {
    const model = library.modelLoad(options.path, {
      ...library.modelDefaultParams(),
      ...(options.gpuLayers === undefined ? {} : { n_gpu_layers: options.gpuLayers }),
    });
    if (model === null) throw loadError(options.path, log);
    const vocabSize = library.modelVocabSize(model);
    if (vocabSize !== config.vocabSize) {
      library.modelFree(model);
      throw new ModelError(
        'model_file_invalid',
        `${options.path}: expected ${config.vocabSize} vocabulary entries, got ${vocabSize}`,
      );
    }
    const abortFlag = new Uint8Array(256); // large enough that V8 keeps it outside its moving heap
    const context = library.contextInit(model, {
      ...library.contextDefaultParams(),
      n_ctx: options.cacheCells ?? defaultCacheCells(config, cacheType === 'f16' ? 2 : 4),
      n_batch: MAX_BATCH_TOKENS,
      n_ubatch: PHYSICAL_BATCH_TOKENS,
      n_seq_max: MAX_SEQUENCES,
      n_threads: threads,
      n_threads_batch: threads,
      pooling_type: POOLING_NONE,
      type_k: GGML_TYPE[cacheType],
      type_v: GGML_TYPE[cacheType],
      kv_unified: true,
      // strlen of the flag: false while its first byte is zero, and callable from any thread without JavaScript.
      abort_callback: library.strlen,
      abort_callback_data: addressOf(abortFlag),
    });
    if (context === null) {
      library.modelFree(model);
      throw new ModelError(
        'out_of_memory',
        `${options.path}: no memory for the KV cache; ask for fewer cache cells. ${lastWords(log)}`,
      );
    }
    return new LlamaModel({
      library,
      model,
      context,
      config,
      abortFlag,
      freeThreads: library.attachThreads(context, threads),
    });
  } finally {
    library.captureLog(null);
  }
}

function loadError(path: string, log: readonly string[]): ModelError {
  const words = lastWords(log);
  const code = /alloc|out of memory|buffer size/i.test(words) ? 'out_of_memory' : 'model_file_invalid';
  return new ModelError(code, `${path}: llama.cpp could not load it. ${words}`);
}

/** The library's last complaints, one line. */
function lastWords(log: readonly string[]): string {
  const lines = log
    .join('')
    .split('\n')
    .filter((line) => /error|fail|invalid|unable|missing|wrong/i.test(line));
  return lines.slice(-3).join(' · ').trim();
}

interface Parts {
  readonly library: LlamaLibrary;
  readonly model: Pointer;
  readonly context: Pointer;
  readonly config: GptjConfig;
  readonly abortFlag: Uint8Array;
  readonly freeThreads: () => void;
}

export class LlamaModel implements LanguageModel {
  readonly config: GptjConfig;
  readonly limits: ModelLimits;
  readonly capabilities: ModelCapabilities = { earlyExit: false };
  /** Storage of the large weights, as llama.cpp names it. */
  readonly quantisation: string;
  /** Bytes of all weights. */
  readonly sizeBytes: number;

  readonly #parts: Parts;
  readonly #memory: Pointer;
  readonly #cells: CacheCells;
  readonly #batch = new BatchMemory();
  readonly #views = new Map<Pointer, Float32Array>();
  #embeddings = false;
  #running: Promise<unknown> | null = null;
  #closed = false;

  constructor(parts: Parts) {
    const { library, model, context, config } = parts;
    this.#parts = parts;
    this.config = config;
    this.quantisation = library.fileTypeName(model);
    this.sizeBytes = library.modelSizeBytes(model);
    this.#memory = library.contextMemory(context);
    this.limits = {
      maxSequences: MAX_SEQUENCES,
      cacheCells: library.contextCells(context),
      maxBatchTokens: MAX_BATCH_TOKENS,
    };
    this.#cells = new CacheCells({ cells: this.limits.cacheCells, maxSequences: MAX_SEQUENCES });
  }

  get freeCells(): number {
    return this.#cells.free;
  }

  open(): SequenceId {
    this.#idle();
    return this.#cells.open();
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
    const { library, context, abortFlag } = this.#parts;
    const lengths = steps.map((step) => this.length(step.sequence));
    this.#cells.append(steps.map((step) => ({ sequence: step.sequence, count: step.tokens.length })));

    const rows = this.#batch.fill(steps, lengths);
    const hidden = steps.some((step) => step.hidden === true && step.scored !== 'none');
    if (hidden !== this.#embeddings) {
      library.setEmbeddings(context, hidden);
      this.#embeddings = hidden;
    }
    const abort = () => {
      abortFlag[0] = 1;
    };
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const running = library.decode(context, this.#batch.value);
      this.#running = running;
      const code = await running;
      // A signal that fired too late to stop the library still means that nobody wants the result.
      if (code !== 0 || signal?.aborted) throw decodeError(code === 0 ? ABORTED : code);
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
    return this.#results(steps, rows, hidden);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#running?.catch(() => {});
    const { library, model, context, freeThreads } = this.#parts;
    this.#views.clear();
    freeThreads();
    library.contextFree(context);
    library.modelFree(model);
  }

  #idle(): void {
    if (this.#closed) throw new ModelError('closed', 'the model is closed');
    if (this.#running !== null) throw new Error('one call at a time: an evaluation is still running');
  }

  /**
   * Cut the library's output into the steps' results. It holds one row per scored position in batch order; but once
   * hidden states are on, llama.cpp gives a row for every position of the batch.
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

  /** The library writes its output to the same few places again and again: one view for each. */
  #view(address: Pointer | null, count: number): Float32Array {
    if (address === null) throw new ModelError('engine_failed', 'llama.cpp gave no output for a batch it decoded');
    let view = this.#views.get(address);
    if (view === undefined || view.length < count) {
      if (this.#views.size > 8) this.#views.clear(); // output buffers were reallocated: forget the old places
      view = floatsAt(address, count);
      this.#views.set(address, view);
    }
    return view.subarray(0, count);
  }
}

/** `llama_decode`: the abort callback said stop. */
const ABORTED = 2;

function decodeError(code: number): ModelError {
  if (code === ABORTED) return new ModelError('aborted', 'the evaluation was aborted');
  if (code === 1) return new ModelError('cache_full', 'llama.cpp found no place in its KV cache');
  return new ModelError('engine_failed', `llama_decode failed with code ${code}`);
}

/** The arrays of one `llama_batch`, allocated once and filled for every call. */
class BatchMemory {
  readonly value = {
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

  /** Write the steps down; `lengths` are the sequences' lengths before. Returns how many positions are scored. */
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
