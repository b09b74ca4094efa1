/**
 * The native interface: every library and function of llama.cpp that gptj-cloud calls, over the structs of
 * `native-structs.ts`. A wrong struct layout would corrupt memory silently, so `loadLlama` refuses every library whose
 * version string or default parameters differ from the one release that is described there.
 *
 * Conventions: a C pointer is a `bigint` address, and a null pointer is `null`. Memory that C keeps a pointer to (batch
 * arrays, the abort flag) is a typed array that the caller owns, passed by `addressOf`.
 */
import { ModelError } from '@gptj-cloud/model';
import * as koffi from 'koffi';
import {
  type Backend,
  type FindLibraryOptions,
  type FoundLibrary,
  findFallbacks,
  findLibrary,
  findLibraryFile,
} from './find-library.ts';
import {
  type Batch,
  type ContextParams,
  checkLayouts,
  defineStructs,
  type ModelParams,
  type Pointer,
  SUPPORTED_VERSION,
} from './native-structs.ts';
import { gpuFaults, openLibraries } from './open-library.ts';

/** A pool of worker threads. */
export interface Threads {
  attach(context: Pointer): void;
  detach(context: Pointer): void;
  /** After every context is detached. */
  free(): void;
}

/** The C functions, under shorter names. `void` results are `undefined`. */
export interface LlamaLibrary {
  readonly directory: string;
  readonly version: string;
  /** The backend in use: `cpu` also if a library with a GPU backend found no GPU. */
  readonly backend: Backend;
  /** Why a preferred library or GPU is not used, one line each. */
  readonly warnings: readonly string[];

  /** Run a call on this thread and collect the errors that the library logs meanwhile, in one line. */
  logged<T>(call: () => T): { readonly result: T; readonly errors: string };
  modelDefaultParams(): ModelParams;
  contextDefaultParams(): ContextParams;

  /** Blocks. `onProgress` gets the share that is loaded, on this thread. */
  modelLoad(path: string, params: ModelParams, onProgress?: (share: number) => void): Pointer | null;
  modelFree(model: Pointer): void;
  modelVocabSize(model: Pointer): number;
  fileTypeName(model: Pointer): string;

  /** An adapter, freed with the model; null where it does not fit. */
  adapterLoad(model: Pointer, path: string): Pointer | null;
  /** No context may use it. */
  adapterFree(adapter: Pointer): void;
  /** Use these adapters in the next decodes. False where the library refuses them. */
  useAdapters(context: Pointer, adapters: BigUint64Array, scales: Float32Array): boolean;

  contextInit(model: Pointer, params: ContextParams): Pointer | null;
  contextFree(context: Pointer): void;
  contextCells(context: Pointer): number;
  contextMemory(context: Pointer): Pointer;
  setEmbeddings(context: Pointer, on: boolean): void;
  /** Number of threads of the next decodes, at most that of the attached pool. */
  setThreads(context: Pointer, threads: number): void;
  /** `llama_decode` on another thread. Resolves with its return code. */
  decode(context: Pointer, batch: Batch): Promise<number>;
  logits(context: Pointer): Pointer | null;
  embeddings(context: Pointer): Pointer | null;

  /** Worker threads that stay alive between decodes. Contexts may share them when they decode one at a time. */
  createThreads(threads: number): Threads;

  sequenceRemove(memory: Pointer, sequence: number, from: number, to: number): boolean;
  sequenceCopy(memory: Pointer, source: number, target: number, from: number, to: number): void;

  /** Bytes of a sequence's keys and values. */
  stateSize(context: Pointer, sequence: number): number;
  /** Copy a sequence's keys and values to `target`. Returns the number of bytes written. */
  stateRead(context: Pointer, target: Uint8Array, sequence: number): number;
  /** Copy keys and values into an empty sequence. Returns the number of bytes read, 0 when they do not fit. */
  stateWrite(context: Pointer, source: Uint8Array, sequence: number): number;
  /** The last position of a sequence; -1 when the sequence is empty. */
  lastPosition(memory: Pointer, sequence: number): number;

  blockSize(type: number): number;
  rowSize(type: number, elements: number): number;
  /** `ggml_quantize_chunk` on another thread: `rows` rows of `source` into `target`. Resolves with bytes written. */
  quantise(
    type: number,
    source: Float32Array,
    target: Uint8Array,
    rows: number,
    rowLength: number,
    importance: Float32Array | null,
  ): Promise<number>;

  /** Address of C's `strlen`: as an abort callback it is true while the byte it points at is not zero. */
  readonly strlen: Pointer;
}

/** Address of a typed array's memory. The caller keeps the array alive as long as C may use the address. */
export function addressOf(array: ArrayBufferView): Pointer {
  return koffi.address(array);
}

/** A view of floats at an address. Valid as long as C keeps the memory. */
export function floatsAt(address: Pointer, count: number): Float32Array {
  return new Float32Array(koffi.view(address, count * 4));
}

export const QUANTISE_CHUNK =
  'size_t ggml_quantize_chunk(int32_t type, void *source, void *target, int64_t start, int64_t rows, int64_t rowLength, void *importance)';

/** `GGML_BACKEND_DEVICE_TYPE_GPU` and `GGML_BACKEND_DEVICE_TYPE_IGPU`. */
const GPU_DEVICE_TYPES: readonly number[] = [1, 2];

let loaded: LlamaLibrary | undefined;

/** Load llama.cpp, once per process. Throws `library_missing`, `library_unknown`, `invalid_config`. */
export function loadLlama(): LlamaLibrary {
  loaded ??= loadFirst();
  return loaded;
}

/** The first package that loads: one with a GPU backend that does not is refused with the reason, and the next is tried. */
function loadFirst(): LlamaLibrary {
  const refused = new Map<string, string>();
  for (;;) {
    const found = findLibrary({ ...searchHere(), refused });
    try {
      return bind(found);
    } catch (error) {
      const isRefusal = error instanceof ModelError && error.code === 'library_missing';
      if (!isRefusal || found.backend === 'cpu' || process.env.GPTJ_LLAMA_LIBRARY) throw error;
      refused.set(found.directory, error.message);
    }
  }
}

function searchHere(): Pick<FindLibraryOptions, 'env' | 'platform' | 'from'> {
  const { env, platform, arch } = process;
  return { env, platform: `${platform}-${arch}`, from: import.meta.url };
}

/** The backend that `loadLlama` will use, and why a preferred one is not. */
export type BackendChoice = Pick<LlamaLibrary, 'backend' | 'warnings'>;

/** Loads the library only where it may have a GPU; the backend is `cpu` where there is no library. */
export function findBackend(): BackendChoice {
  try {
    const { backend, warnings } = findLibrary(searchHere());
    return backend === 'cpu' ? { backend, warnings } : loadLlama();
  } catch (error) {
    if (error instanceof ModelError && error.code === 'library_missing') return { backend: 'cpu', warnings: [] };
    throw error;
  }
}

function bind(found: FoundLibrary): LlamaLibrary {
  const { directory } = found;
  const ggmlPath = findLibraryFile(directory, 'ggml');
  const llamaPath = findLibraryFile(directory, 'llama');
  if (ggmlPath === null || llamaPath === null) {
    throw new ModelError('library_missing', `no llama.cpp in ${directory}: expected libggml and libllama`);
  }
  const basePath = findLibraryFile(directory, 'ggml-base');
  const [base, ggml, llama] = openLibraries([basePath ?? ggmlPath, ggmlPath, llamaPath]);

  const version = symbolVersion(llama);
  if (version !== SUPPORTED_VERSION) {
    throw new ModelError('library_unknown', `${llamaPath}: expected llama.cpp ${SUPPORTED_VERSION}, got ${version}`);
  }

  const { modelParams, contextParams, batch, threadpoolParams } = defineStructs();

  const native = {
    modelDefaultParams: llama.func('llama_model_params llama_model_default_params()'),
    contextDefaultParams: llama.func('llama_context_params llama_context_default_params()'),
    backendInit: llama.func('void llama_backend_init()'),
    logSet: llama.func('void llama_log_set(void *callback, void *user)'),
    modelLoad: llama.func('void *llama_model_load_from_file(const char *path, llama_model_params params)'),
    modelFree: llama.func('void llama_model_free(void *model)'),
    modelVocab: llama.func('void *llama_model_get_vocab(void *model)'),
    vocabSize: llama.func('int llama_vocab_n_tokens(void *vocab)'),
    modelFtype: llama.func('int llama_model_ftype(void *model)'),
    ftypeName: llama.func('const char *llama_ftype_name(int ftype)'),
    adapterLoad: llama.func('void *llama_adapter_lora_init(void *model, const char *path)'),
    adapterFree: llama.func('void llama_adapter_lora_free(void *adapter)'),
    setAdapters: llama.func(
      'int32_t llama_set_adapters_lora(void *context, void *adapters, size_t count, void *scales)',
    ),
    contextInit: llama.func('void *llama_init_from_model(void *model, llama_context_params params)'),
    contextFree: llama.func('void llama_free(void *context)'),
    contextCells: llama.func('uint32_t llama_n_ctx(void *context)'),
    contextMemory: llama.func('void *llama_get_memory(void *context)'),
    setEmbeddings: llama.func('void llama_set_embeddings(void *context, bool on)'),
    setThreads: llama.func('void llama_set_n_threads(void *context, int32_t threads, int32_t batchThreads)'),
    attachThreadpool: llama.func('void llama_attach_threadpool(void *context, void *pool, void *batchPool)'),
    detachThreadpool: llama.func('void llama_detach_threadpool(void *context)'),
    decode: llama.func('int32_t llama_decode(void *context, llama_batch batch)'),
    logits: llama.func('void *llama_get_logits(void *context)'),
    embeddings: llama.func('void *llama_get_embeddings(void *context)'),
    sequenceRemove: llama.func('bool llama_memory_seq_rm(void *memory, int32_t sequence, int32_t from, int32_t to)'),
    sequenceCopy: llama.func(
      'void llama_memory_seq_cp(void *memory, int32_t source, int32_t target, int32_t from, int32_t to)',
    ),
    lastPosition: llama.func('int32_t llama_memory_seq_pos_max(void *memory, int32_t sequence)'),
    stateSize: llama.func('size_t llama_state_seq_get_size(void *context, int32_t sequence)'),
    stateRead: llama.func(
      'size_t llama_state_seq_get_data(void *context, void *target, size_t size, int32_t sequence)',
    ),
    stateWrite: llama.func(
      'size_t llama_state_seq_set_data(void *context, void *source, size_t size, int32_t sequence)',
    ),
    loadBackends: ggml.func('void ggml_backend_load_all_from_path(const char *directory)'),
    backendByType: ggml.func('void *ggml_backend_dev_by_type(int32_t type)'),
    backendRegistry: base.func('void *ggml_backend_dev_backend_reg(void *device)'),
    procAddress: base.func('void *ggml_backend_reg_get_proc_address(void *registry, const char *name)'),
    blockSize: base.func('int64_t ggml_blck_size(int32_t type)'),
    rowSize: base.func('size_t ggml_row_size(int32_t type, int64_t elements)'),
    quantise: base.func(QUANTISE_CHUNK),
    poolNew: koffi.proto('void *ggml_threadpool_new(void *params)'),
    poolFree: koffi.proto('void ggml_threadpool_free(void *pool)'),
  };
  const progressCallback = koffi.proto('bool gptj_progress_callback(float share, void *user)');
  const logCallback = koffi.proto('void gptj_log_callback(int level, const char *text, void *user)');

  checkLayouts(llamaPath, native.modelDefaultParams(), native.contextDefaultParams(), {
    llama_model_params: koffi.sizeof(modelParams),
    llama_context_params: koffi.sizeof(contextParams),
    llama_batch: koffi.sizeof(batch),
  });

  const c = koffi.load(
    process.platform === 'win32' ? 'msvcrt.dll' : process.platform === 'darwin' ? 'libSystem.dylib' : 'libc.so.6',
  );
  const strlen = c.symbol('strlen') as Pointer;
  // `abs` reads its first argument only, the log level: a log callback that does nothing, on any thread.
  const ignoreLog = c.symbol('abs') as Pointer;
  native.logSet(ignoreLog, null);
  native.loadBackends(directory);
  native.backendInit();
  const hasGpu = (): boolean => GPU_DEVICE_TYPES.some((type) => native.backendByType(type) !== null);
  const fallbacks = findFallbacks(`${process.platform}-${process.arch}`, found.backend, import.meta.url);
  for (const folder of fallbacks) if (!hasGpu()) native.loadBackends(folder);
  const lacksGpu = found.backend !== 'cpu' && !hasGpu();

  const inThread = <T>(call: koffi.KoffiFunc<(...args: never[]) => T>, ...args: unknown[]): Promise<T> =>
    new Promise((resolve, reject) => {
      (call.async as (...all: unknown[]) => void)(...args, (error: Error | null, result: T) =>
        error ? reject(error) : resolve(result),
      );
    });

  return {
    directory,
    version,
    backend: lacksGpu ? 'cpu' : found.backend,
    warnings: lacksGpu ? [...found.warnings, noGpuWarning(found.backend, [directory, ...fallbacks])] : found.warnings,
    strlen,
    logged(call) {
      const lines: string[] = [];
      const listener = koffi.register((_level: number, text: string) => lines.push(text), koffi.pointer(logCallback));
      native.logSet(listener, null);
      try {
        const result = call();
        const errors = lines
          .join('')
          .split('\n')
          .filter((line) => /error|fail|invalid|unable|missing|wrong/i.test(line));
        return { result, errors: errors.slice(-3).join(' · ').trim() };
      } finally {
        native.logSet(ignoreLog, null);
        koffi.unregister(listener);
      }
    },
    modelDefaultParams: () => native.modelDefaultParams() as ModelParams,
    contextDefaultParams: () => native.contextDefaultParams() as ContextParams,
    modelLoad(path, params, onProgress) {
      if (onProgress === undefined) return native.modelLoad(path, params) as Pointer | null;
      const listener = koffi.register((share: number) => {
        onProgress(share);
        // False would end the loading.
        return true;
      }, koffi.pointer(progressCallback));
      try {
        return native.modelLoad(path, { ...params, progress_callback: listener }) as Pointer | null;
      } finally {
        koffi.unregister(listener);
      }
    },
    modelFree: (model) => void native.modelFree(model),
    modelVocabSize: (model) => native.vocabSize(native.modelVocab(model)) as number,
    fileTypeName: (model) => native.ftypeName(native.modelFtype(model)) as string,
    adapterLoad: (model, path) => native.adapterLoad(model, path) as Pointer | null,
    adapterFree: (adapter) => void native.adapterFree(adapter),
    useAdapters: (context, adapters, scales) => native.setAdapters(context, adapters, adapters.length, scales) === 0,
    contextInit: (model, params) => native.contextInit(model, params) as Pointer | null,
    contextFree: (context) => void native.contextFree(context),
    contextCells: (context) => native.contextCells(context) as number,
    contextMemory: (context) => native.contextMemory(context) as Pointer,
    setEmbeddings: (context, on) => void native.setEmbeddings(context, on),
    setThreads: (context, threads) => void native.setThreads(context, threads, threads),
    decode: (context, value) => inThread<number>(native.decode, context, value),
    logits: (context) => native.logits(context) as Pointer | null,
    embeddings: (context) => native.embeddings(context) as Pointer | null,
    createThreads(threads) {
      const none: Threads = { attach() {}, detach() {}, free() {} };
      const device = native.backendByType(0) as Pointer | null; // GGML_BACKEND_DEVICE_TYPE_CPU
      if (device === null) return none;
      const registry = native.backendRegistry(device) as Pointer;
      const create = native.procAddress(registry, 'ggml_threadpool_new') as Pointer | null;
      const destroy = native.procAddress(registry, 'ggml_threadpool_free') as Pointer | null;
      if (create === null || destroy === null) return none;
      const params = Buffer.alloc(koffi.sizeof(threadpoolParams));
      // poll 50, llama.cpp's default: workers spin briefly between graph nodes before they sleep.
      koffi.encode(params, threadpoolParams, {
        cpumask: new Array(512).fill(false),
        n_threads: threads,
        prio: 0,
        poll: 50,
        strict_cpu: false,
        paused: false,
      });
      const pool = koffi.call(create, native.poolNew, params) as Pointer | null;
      if (pool === null) return none;
      return {
        attach: (context) => void native.attachThreadpool(context, pool, pool),
        detach: (context) => void native.detachThreadpool(context),
        free: () => void koffi.call(destroy, native.poolFree, pool),
      };
    },
    sequenceRemove: (memory, sequence, from, to) => native.sequenceRemove(memory, sequence, from, to) as boolean,
    sequenceCopy: (memory, source, target, from, to) => void native.sequenceCopy(memory, source, target, from, to),
    stateSize: (context, sequence) => Number(native.stateSize(context, sequence)),
    stateRead: (context, target, sequence) => Number(native.stateRead(context, target, target.byteLength, sequence)),
    stateWrite: (context, source, sequence) => Number(native.stateWrite(context, source, source.byteLength, sequence)),
    lastPosition: (memory, sequence) => native.lastPosition(memory, sequence) as number,
    blockSize: (type) => Number(native.blockSize(type)),
    rowSize: (type, elements) => Number(native.rowSize(type, elements)),
    quantise: async (type, source, target, rows, rowLength, importance) =>
      Number(await inThread<number | bigint>(native.quantise, type, source, target, 0, rows, rowLength, importance)),
  };
}

function noGpuWarning(backend: Backend, folders: readonly string[]): string {
  const faults = gpuFaults(folders);
  const reason = faults.length === 0 ? '' : ` (${faults.join('; ')})`;
  return `llama.cpp's ${backend} backend found no GPU${reason}; the CPU is used`;
}

function symbolVersion(llama: koffi.LibraryHandle): string {
  try {
    return llama.func('const char *llama_version()')() as string;
  } catch {
    return 'a release without llama_version';
  }
}
