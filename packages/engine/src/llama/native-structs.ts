/**
 * The structs of llama.cpp v0.5.0, the release inside `@node-llama-cpp/*` 3.22.1, as `include/llama.h` and
 * `ggml/include/*.h` lay them out.
 */
import { ModelError } from '@gptj-cloud/model';
import * as koffi from 'koffi';

/** Address of memory that C owns or points to. */
export type Pointer = bigint;

/** The release whose layouts this file describes, as file names of its libraries state it. */
export const SUPPORTED_RELEASE = 'v0.5.0';
/** `llama_version()` of that release. */
export const SUPPORTED_VERSION = '0.5.0-dev';

/** `enum ggml_type`: the storage types gptj-cloud reads or writes. */
export const GGML_TYPE = {
  f32: 0,
  f16: 1,
  q4_0: 2,
  q5_0: 6,
  q5_1: 7,
  q8_0: 8,
  q4_K: 12,
  q5_K: 13,
  q6_K: 14,
  bf16: 30,
} as const;

/** `LLAMA_POOLING_TYPE_NONE`: hidden states per token, not per sequence. */
export const POOLING_NONE = 0;
/** `LLAMA_FLASH_ATTN_TYPE_DISABLED` */
export const FLASH_ATTENTION_OFF = 0;

/** Sizes in bytes of the C structs that are passed by value; they check the layouts of this file. */
const STRUCT_SIZES = { llama_model_params: 80, llama_context_params: 160, llama_batch: 56 } as const;

/** Fields of `struct llama_model_params` that gptj-cloud sets. */
export interface ModelParams {
  /** A list of devices that ends with a null pointer. An empty list is the CPU alone; null is every device. */
  devices: Pointer | null;
  n_gpu_layers: number;
  use_extra_bufts: boolean;
  check_tensors: boolean;
  vocab_only: boolean;
}

/** Fields of `struct llama_context_params` that gptj-cloud sets. */
export interface ContextParams {
  n_ctx: number;
  n_batch: number;
  n_ubatch: number;
  n_seq_max: number;
  n_threads: number;
  n_threads_batch: number;
  pooling_type: number;
  type_k: number;
  type_v: number;
  kv_unified: boolean;
  flash_attn_type: number;
  /** Called for the tensors of a graph; see `native-tensors.ts`. */
  cb_eval: Pointer | null;
  abort_callback: Pointer | null;
  abort_callback_data: Pointer | null;
}

/** `struct llama_batch`: parallel arrays, one entry per token. */
export interface Batch {
  n_tokens: number;
  token: Pointer;
  embd: Pointer | null;
  pos: Pointer;
  n_seq_id: Pointer;
  seq_id: Pointer;
  logits: Pointer;
}

/** Define the structs in koffi. Their names are global in the process: call it once. */
export function defineStructs(): Readonly<
  Record<'modelParams' | 'contextParams' | 'batch' | 'threadpoolParams', koffi.TypeObject>
> {
  const modelParams = koffi.struct('llama_model_params', {
    devices: 'void *',
    tensor_buft_overrides: 'void *',
    n_gpu_layers: 'int32_t',
    split_mode: 'int32_t',
    load_mode: 'int32_t',
    lazy_mode: 'int32_t',
    main_gpu: 'int32_t',
    tensor_split: 'void *',
    progress_callback: 'void *',
    progress_callback_user_data: 'void *',
    kv_overrides: 'void *',
    vocab_only: 'bool',
    check_tensors: 'bool',
    use_extra_bufts: 'bool',
    no_host: 'bool',
    no_alloc: 'bool',
    load_mtp: 'bool',
  });
  const contextParams = koffi.struct('llama_context_params', {
    n_ctx: 'uint32_t',
    n_batch: 'uint32_t',
    n_ubatch: 'uint32_t',
    n_seq_max: 'uint32_t',
    n_rs_seq: 'uint32_t',
    n_outputs_max: 'uint32_t',
    n_outputs_max_per_seq: 'uint32_t',
    n_threads: 'int32_t',
    n_threads_batch: 'int32_t',
    ctx_type: 'int32_t',
    rope_scaling_type: 'int32_t',
    pooling_type: 'int32_t',
    attention_type: 'int32_t',
    flash_attn_type: 'int32_t',
    rope_freq_base: 'float',
    rope_freq_scale: 'float',
    yarn_ext_factor: 'float',
    yarn_attn_factor: 'float',
    yarn_beta_fast: 'float',
    yarn_beta_slow: 'float',
    yarn_orig_ctx: 'uint32_t',
    defrag_thold: 'float',
    cb_eval: 'void *',
    cb_eval_user_data: 'void *',
    type_k: 'int32_t',
    type_v: 'int32_t',
    abort_callback: 'void *',
    abort_callback_data: 'void *',
    embeddings: 'bool',
    offload_kqv: 'bool',
    no_perf: 'bool',
    op_offload: 'bool',
    swa_full: 'bool',
    kv_unified: 'bool',
    samplers: 'void *',
    n_samplers: 'size_t',
    ctx_other: 'void *',
  });
  const batch = koffi.struct('llama_batch', {
    n_tokens: 'int32_t',
    token: 'void *',
    embd: 'void *',
    pos: 'void *',
    n_seq_id: 'void *',
    seq_id: 'void *',
    logits: 'void *',
  });
  const threadpoolParams = koffi.struct('ggml_threadpool_params', {
    cpumask: koffi.array('bool', 512),
    n_threads: 'int',
    prio: 'int32_t',
    poll: 'uint32_t',
    strict_cpu: 'bool',
    paused: 'bool',
  });
  return { modelParams, contextParams, batch, threadpoolParams };
}

/** Refuse a library whose structs have another layout than this file: known default values must be at their offsets. */
export function checkLayouts(
  path: string,
  model: Record<string, unknown>,
  context: Record<string, unknown>,
  sizes: Record<keyof typeof STRUCT_SIZES, number>,
): void {
  const expected: readonly (readonly [string, unknown, unknown])[] = [
    ...Object.entries(STRUCT_SIZES).map(
      ([name, size]) => [`sizeof(${name})`, size, sizes[name as keyof typeof STRUCT_SIZES]] as const,
    ),
    ['model.n_gpu_layers', -1, model.n_gpu_layers],
    ['model.split_mode', 1, model.split_mode],
    ['model.lazy_mode', 1, model.lazy_mode],
    ['model.use_extra_bufts', true, model.use_extra_bufts],
    ['model.load_mtp', false, model.load_mtp],
    ['context.n_ctx', 512, context.n_ctx],
    ['context.n_batch', 2048, context.n_batch],
    ['context.n_ubatch', 512, context.n_ubatch],
    ['context.n_outputs_max_per_seq', 1, context.n_outputs_max_per_seq],
    ['context.yarn_beta_slow', -1, context.yarn_beta_slow],
    ['context.type_k', GGML_TYPE.f16, context.type_k],
    ['context.type_v', GGML_TYPE.f16, context.type_v],
    ['context.abort_callback', null, context.abort_callback],
    ['context.no_perf', true, context.no_perf],
    ['context.swa_full', true, context.swa_full],
    ['context.kv_unified', false, context.kv_unified],
  ];
  const wrong = expected.filter(([, value, got]) => value !== got);
  if (wrong.length > 0) {
    const list = wrong.map(([name, value, got]) => `${name}: expected ${value}, got ${got}`).join('; ');
    throw new ModelError(
      'library_unknown',
      `${path}: expected the struct layouts of llama.cpp ${SUPPORTED_VERSION} (${list})`,
    );
  }
}
