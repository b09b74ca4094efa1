/**
 * The weights of one model file in memory, and the contexts that compute with them. Contexts share weights and worker
 * threads; each has a KV cache of its own.
 *
 * Invariant: `references` counts the open contexts, and the weights themselves until `close`. The weights and thread pools
 * are freed when it reaches 0.
 */
import { type GptjConfig, ModelError } from '@gptj-cloud/model';
import { type AdapterFile, adapterId } from '../adapters/adapter-file.ts';
import { FreeCores } from '../machine/free-cores.ts';
import { PHYSICAL_BATCH_TOKENS } from '../machine/memory-plan.ts';
import { usableCores } from '../machine/usable-cores.ts';
import { MAX_BATCH_TOKENS } from './batch-memory.ts';
import { LlamaModel, MAX_SEQUENCES } from './llama-model.ts';
import { addressOf, loadLlama, type Threads } from './native.ts';
import { FLASH_ATTENTION_OFF, GGML_TYPE, POOLING_NONE, type Pointer } from './native-structs.ts';

export interface LlamaWeightsOptions {
  /** A GGUF file with GPT-J in the phi2 layout, as `gptj convert` writes it. */
  readonly path: string;
  /** The configuration from the file's metadata. */
  readonly config: GptjConfig;
  /** Adapters that sequences may use: complete files that fit the model. Default: none. */
  readonly adapters?: readonly AdapterFile[];
  /** Default: one per physical core. */
  readonly threads?: number;
  /** Limit of the threads where `threads` is absent. */
  readonly maxThreads?: number;
  /** Layers on the GPU when the library has one. Default: all. */
  readonly gpuLayers?: number;
  /** Use no GPU. Default false. */
  readonly onCpu?: boolean;
  /** Called with the share of the weights that is loaded, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

export interface LlamaContextOptions {
  /** Positions of KV cache over all sequences. Default: one context. */
  readonly cacheCells?: number;
  /** Storage of keys and values. Default float16; float32 is more precise and takes twice the memory. */
  readonly cacheType?: 'f16' | 'f32';
  /**
   * Compute always with the same number of threads and without flash attention, so that results do not depend on the load
   * of the machine. Flash attention on the CPU is wrong in the second decimal of logits (see `docs/decisions.md`), but
   * decodes a fifth to a third faster. Default: true with a float32 cache, else false.
   */
  readonly exact?: boolean;
  /** See `watchProducts`. */
  readonly evalCallback?: Pointer;
}

export interface LlamaWeights {
  /** Storage of the large weights, as llama.cpp names it. */
  readonly quantisation: string;
  /** Reasons why a preferred library or GPU is not used, one line each. */
  readonly warnings: readonly string[];
  /** A model with an empty cache. Throws `out_of_memory`. */
  openModel(options?: LlamaContextOptions): LlamaModel;
  /** Load another adapter, a complete file that fits the model, between evaluations. Throws `model_file_invalid`. */
  loadAdapter(file: AdapterFile): void;
  /** Free an adapter that no sequence uses, between evaluations. */
  unloadAdapter(id: string): void;
  /** Release the weights. Open models keep them in memory until they close. Idempotent. */
  close(): void;
}

/** An empty list of GPU devices: only its terminating null pointer. */
const NO_DEVICES = new BigUint64Array(1);

/**
 * Load weights. Blocks this process while they load: call it in the engine's own process.
 *
 * Throws `library_missing`, `library_unknown`, `invalid_config` (GPTJ_LLAMA_BACKEND), `model_file_invalid` (with the error that llama.cpp logs),
 * `out_of_memory`.
 */
export function openLlamaWeights(options: LlamaWeightsOptions): LlamaWeights {
  const { path, config } = options;
  const library = loadLlama();
  // Loading takes long enough to count the free cores.
  const freeCores = new FreeCores({ now: () => performance.now() });
  const { result: model, errors } = library.logged(() =>
    library.modelLoad(
      path,
      {
        ...library.modelDefaultParams(),
        ...(library.backend === 'cpu' || options.onCpu === true ? { devices: addressOf(NO_DEVICES) } : {}),
        ...(options.gpuLayers === undefined ? {} : { n_gpu_layers: options.gpuLayers }),
      },
      options.onProgress,
    ),
  );
  if (model === null) {
    const code = /alloc|out of memory|buffer size/i.test(errors) ? 'out_of_memory' : 'model_file_invalid';
    throw new ModelError(code, `${path}: llama.cpp could not load it. ${errors}`);
  }
  const vocabSize = library.modelVocabSize(model);
  if (vocabSize !== config.vocabSize) {
    library.modelFree(model);
    throw new ModelError(
      'model_file_invalid',
      `${path}: expected ${config.vocabSize} vocabulary entries, got ${vocabSize}`,
    );
  }
  const adapters = new Map<string, Pointer>();
  const models = new Set<LlamaModel>();
  const loadAdapter = (file: AdapterFile): void => {
    const { result: adapter, errors: refused } = library.logged(() => library.adapterLoad(model, file.path));
    if (adapter === null) {
      const message = `${file.path}: llama.cpp could not load the adapter ${file.name}. ${refused}`;
      throw new ModelError('model_file_invalid', message);
    }
    adapters.set(adapterId(file), adapter);
  };
  try {
    for (const file of options.adapters ?? []) loadAdapter(file);
  } catch (error) {
    library.modelFree(model);
    throw error;
  }
  const threadCount = options.threads ?? Math.min(options.maxThreads ?? Number.POSITIVE_INFINITY, usableCores());
  // One thread pool per number of threads: idle workers of a larger pool would spin and take processor time.
  const pools = new Map<number, Threads>();
  const poolOf = (count: number): Threads => {
    const pool = pools.get(count) ?? library.createThreads(count);
    pools.set(count, pool);
    return pool;
  };
  let references = 1;
  const release = (): void => {
    if (--references > 0) return;
    for (const pool of pools.values()) pool.free();
    library.modelFree(model);
  };
  let closed = false;
  return {
    quantisation: library.fileTypeName(model),
    warnings: library.warnings,
    openModel({ cacheCells, cacheType = 'f16', exact = cacheType === 'f32', evalCallback } = {}) {
      if (closed) throw new ModelError('closed', 'the weights are closed');
      const abortFlag = new Uint8Array(256); // large enough that V8 keeps it outside its moving heap
      const { result: context, errors } = library.logged(() =>
        library.contextInit(model, {
          ...library.contextDefaultParams(),
          // llama.cpp aborts the process for fewer cells than sequences.
          n_ctx: Math.max(MAX_SEQUENCES, cacheCells ?? config.contextLength),
          n_batch: MAX_BATCH_TOKENS,
          n_ubatch: PHYSICAL_BATCH_TOKENS,
          n_seq_max: MAX_SEQUENCES,
          n_threads: threadCount,
          n_threads_batch: threadCount,
          pooling_type: POOLING_NONE,
          ...(exact ? { flash_attn_type: FLASH_ATTENTION_OFF } : {}),
          type_k: GGML_TYPE[cacheType],
          type_v: GGML_TYPE[cacheType],
          kv_unified: true,
          ...(evalCallback === undefined ? {} : { cb_eval: evalCallback }),
          // strlen of the flag: false while its first byte is zero, and callable from any thread without JavaScript.
          abort_callback: library.strlen,
          abort_callback_data: addressOf(abortFlag),
        }),
      );
      if (context === null) {
        throw new ModelError('out_of_memory', `${path}: no memory for the KV cache; request fewer cells. ${errors}`);
      }
      let attached: Threads | null = null;
      const useThreads = (count: number): void => {
        attached = poolOf(count);
        attached.attach(context);
        library.setThreads(context, count);
      };
      const yieldsCores = !exact && options.threads === undefined;
      // A pool that is made and left again takes time, and its threads spin for a while.
      useThreads(yieldsCores ? 1 : threadCount);
      references++;
      const free = (): void => {
        attached?.detach(context);
        library.contextFree(context);
        models.delete(opened);
        release();
      };
      const opened = new LlamaModel({
        library,
        config,
        context,
        cacheType,
        adapters,
        abortFlag,
        threads: threadCount,
        yieldsCores,
        freeCores: () => freeCores.estimate(),
        useThreads,
        free,
      });
      models.add(opened);
      return opened;
    },
    loadAdapter,
    unloadAdapter(id) {
      const adapter = adapters.get(id);
      // Freed with the model.
      if (closed || adapter === undefined) return;
      adapters.delete(id);
      for (const each of models) each.leaveAdapters();
      library.adapterFree(adapter);
    },
    close() {
      if (closed) return;
      closed = true;
      release();
    },
  };
}
