/**
 * GPT-J as a `phi2` GGUF file: llama.cpp has no GPT-J graph, and its Phi-2 graph computes GPT-J exactly once the rows
 * of q and k are reordered (see row-order.ts) and a zero bias is given to the attention's output.
 *
 * Keys of this project in the file
 *
 * | key                      | type    | what                                                                 |
 * | ------------------------ | ------- | -------------------------------------------------------------------- |
 * | `gptj.lifted`            | bool    | true: the tensors are a GPT-J's, in the order above                  |
 * | `gptj.source`            | string  | name of the folder or file it was made from                          |
 * | `gptj.source_type`       | string  | storage of the source's matrices: `f32`, `f16`, `bf16`, …            |
 * | `gptj.rotary_dim`        | uint32  | dimensions of a head that are rotated, needed to restore the row order |
 * | `gptj.layer_norm_epsilon`| float64 | as in config.json; phi2's own key has only 32 bits                   |
 * | `gptj.eos_token_ids`     | int32[] | all EOS token ids, if there are several            |
 * | `gptj.added_token_flags` | int32[] | see tokenizer-metadata.ts                                            |
 */
import { type GptjConfig, gptjTensors, ModelError, parseGptjConfig } from '@gptj-cloud/model';
import type { TokenizerData } from '@gptj-cloud/tokenizer';
import { CheckpointError } from '../checkpoint-error.ts';
import type { GgufHeader } from './header.ts';
import { type GgufMetadata, type GgufValue, metadataNumber, metadataString } from './metadata.ts';
import { tokenizerMetadata } from './tokenizer-metadata.ts';

export interface Phi2ExportOptions {
  readonly config: GptjConfig;
  readonly tokenizer: TokenizerData;
  readonly modelName: string;
  readonly source: string;
  readonly sourceType: string;
  /** `enum llama_ftype`. */
  readonly fileType: number;
}

/** The metadata of a phi2 export. */
export function phi2Metadata(options: Phi2ExportOptions): GgufMetadata {
  const { config, tokenizer } = options;
  const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });
  const string = (value: string): GgufValue => ({ type: 'string', value });
  return new Map<string, GgufValue>([
    ['general.architecture', string('phi2')],
    ['general.name', string(options.modelName)],
    ['general.file_type', uint32(options.fileType)],
    ['general.quantization_version', uint32(2)],
    ['phi2.context_length', uint32(config.contextLength)],
    ['phi2.embedding_length', uint32(config.embeddingSize)],
    ['phi2.feed_forward_length', uint32(config.feedForwardSize)],
    ['phi2.block_count', uint32(config.layerCount)],
    ['phi2.attention.head_count', uint32(config.headCount)],
    ['phi2.attention.head_count_kv', uint32(config.headCount)],
    ['phi2.attention.layer_norm_epsilon', { type: 'float32', value: config.layerNormEpsilon }],
    ['phi2.rope.dimension_count', uint32(config.rotaryDim)],
    ['gptj.lifted', { type: 'bool', value: true }],
    ['gptj.source', string(options.source)],
    ['gptj.source_type', string(options.sourceType)],
    ['gptj.rotary_dim', uint32(config.rotaryDim)],
    ['gptj.layer_norm_epsilon', { type: 'float64', value: config.layerNormEpsilon }],
    ...tokenizerMetadata(tokenizer),
    ...(config.bosTokenId === null ? [] : [['tokenizer.ggml.bos_token_id', uint32(config.bosTokenId)] as const]),
    ...(config.eosTokenId === null ? [] : [['tokenizer.ggml.eos_token_id', uint32(config.eosTokenId)] as const]),
    ...(config.eosTokenIds.length < 2
      ? []
      : [['gptj.eos_token_ids', { type: 'array', of: 'int32', value: config.eosTokenIds }] as const]),
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: false }],
  ]);
}

/** Name and shape of every tensor of a phi2 export, in file order; `original` is null for the zero biases. */
export function phi2Tensors(
  config: GptjConfig,
): readonly { readonly name: string; readonly shape: readonly number[]; readonly original: string | null }[] {
  return gptjTensors(config).flatMap(({ name, ggufName, shape }) => {
    const exported = { name: ggufName, shape, original: name };
    if (!ggufName.endsWith('.attn_output.weight')) return [exported];
    const bias = ggufName.replace(/weight$/, 'bias');
    return [exported, { name: bias, shape: [config.embeddingSize], original: null }];
  });
}

/** Whether the metadata marks the file as a GPT-J exported as phi2. */
export function isPhi2Export(metadata: GgufMetadata): boolean {
  return metadata.get('gptj.lifted')?.value === true;
}

/**
 * The config of a phi2 export. Throws `unsupported` for a GGUF file that is not one, `invalid_config` where keys are
 * missing or contradict each other.
 */
export function readGptjConfig(file: string, header: GgufHeader): GptjConfig {
  const { metadata } = header;
  const architecture = metadataString(metadata, 'general.architecture');
  if (architecture !== 'phi2' || !isPhi2Export(metadata)) {
    throw new CheckpointError(
      'unsupported',
      { file },
      architecture === 'phi2'
        ? 'expected a GPT-J written by `gptj convert` (gptj.lifted), got a Phi-2 model'
        : `expected a GPT-J written by \`gptj convert\`, got architecture ${JSON.stringify(architecture)?.slice(0, 60)}`,
    );
  }
  const number = (key: string): number | null => metadataNumber(metadata, key);
  const heads = number('phi2.attention.head_count');
  for (const [key, expected] of [
    ['phi2.attention.head_count_kv', heads],
    ['phi2.rope.dimension_count', number('gptj.rotary_dim')],
  ] as const) {
    if (number(key) !== expected) {
      throw new CheckpointError('invalid_config', { file }, `${key}: expected ${expected}, got ${number(key)}`);
    }
  }
  const eosIds = metadata.get('gptj.eos_token_ids');
  const embedding = header.tensors.find(({ name }) => name === 'token_embd.weight');
  try {
    return parseGptjConfig({
      vocab_size: embedding?.shape[0],
      n_positions: number('phi2.context_length'),
      n_embd: number('phi2.embedding_length'),
      n_layer: number('phi2.block_count'),
      n_head: heads,
      rotary_dim: number('gptj.rotary_dim'),
      n_inner: number('phi2.feed_forward_length'),
      layer_norm_epsilon: number('gptj.layer_norm_epsilon'),
      bos_token_id: number('tokenizer.ggml.bos_token_id'),
      eos_token_id: eosIds?.type === 'array' ? eosIds.value : number('tokenizer.ggml.eos_token_id'),
    });
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new CheckpointError('invalid_config', { file }, error.message.replace(/^config\.json/, 'metadata'), {
      cause: error,
    });
  }
}
