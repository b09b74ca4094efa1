/** What is decided of a model file before its weights are read. */
import { isDeepStrictEqual } from 'node:util';
import type { GptjConfig } from '@gptj-cloud/model';
import type { TokenizerData } from '@gptj-cloud/tokenizer';
import { checkTokenizer } from './check-tokenizer.ts';
import type { CheckpointTensor } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { MAX_HEADER_BYTES } from './gguf/header.ts';
import { type GgufTensorPlan, ggufHeaderBytes } from './gguf/header-bytes.ts';
import type { GgufMetadata } from './gguf/metadata.ts';
import { phi2Tensors, readGptjConfig } from './gguf/phi2-export.ts';
import { readTokenizerData } from './gguf/tokenizer-metadata.ts';
import type { Quantiser } from './quantiser.ts';
import { type Recipe, tensorType } from './recipe.ts';
import { isFloatType, rowsOf, TENSOR_TYPES, type TensorType } from './tensor-type.ts';

export interface TypeFallback {
  readonly tensor: string;
  readonly wanted: TensorType;
  readonly used: TensorType;
  readonly rowLength: number;
}

export interface ExportedTensor extends GgufTensorPlan {
  /** Name of the weight; null for the zero biases of the phi2 export. */
  readonly original: string | null;
}

/** The tensors of the file, and matrices that get a fallback type instead of the recipe's. */
export function planTensors(
  config: GptjConfig,
  recipe: Recipe,
): { readonly tensors: readonly ExportedTensor[]; readonly fallbacks: readonly TypeFallback[] } {
  const fallbacks: TypeFallback[] = [];
  const tensors = phi2Tensors(config).map(({ name, shape, original }): ExportedTensor => {
    if (shape.length < 2) return { name, shape, type: 'f32', original };
    const { rowLength } = rowsOf(shape);
    const layer = /^blk\.(\d+)\./.exec(name)?.[1];
    const { wanted, used } = tensorType(
      recipe,
      name,
      layer === undefined ? null : Number(layer),
      config.layerCount,
      rowLength,
    );
    if (wanted !== used) fallbacks.push({ tensor: name, wanted, used, rowLength });
    return { name, shape, type: used, original };
  });
  return { tensors, fallbacks };
}

/** Warn of weights that are quantised in the source; `sample` is one of its matrices. */
export function quantisedWarning(sample: CheckpointTensor | undefined): readonly string[] {
  const type = sample?.stored?.type ?? sample?.type ?? 'f32';
  if (/^(?:f32|f16|bf16)$/.test(type)) return [];
  return [`the source is quantised already (${type}): the result keeps its rounding errors`];
}

/**
 * Check the metadata with the reader before writing: a conversion may take half an hour. `tokenizer`: one that has passed
 * {@link checkTokenizer}, which takes too long to repeat for the same.
 */
export function checkReadable(
  target: string,
  metadata: GgufMetadata,
  plans: readonly GgufTensorPlan[],
  tokenizer: TokenizerData,
): void {
  const tensors = plans.map(({ name, shape, type }) => ({
    name,
    shape,
    type,
    typeId: TENSOR_TYPES[type].id,
    offset: 0,
    sizeBytes: 0,
  }));
  readGptjConfig(target, { metadata, tensors });
  const readable = readTokenizerData(target, { metadata, tensors });
  if (!isDeepStrictEqual(readable, tokenizer)) checkTokenizer(target, readable);
  const headerBytes = ggufHeaderBytes(metadata, plans).byteLength;
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new CheckpointError(
      'too_large',
      { file: target },
      `expected metadata of at most ${MAX_HEADER_BYTES} bytes, got ${headerBytes}`,
    );
  }
}

/** Refuse a library whose block sizes differ from those in the header. */
export function checkQuantiser(
  {
    target,
    type: recipe,
    quantiser,
  }: { readonly target: string; readonly type: Recipe; readonly quantiser?: Quantiser },
  plans: readonly GgufTensorPlan[],
): void {
  for (const { type, name } of plans) {
    if (isFloatType(type)) continue;
    const place = { file: target, tensor: name };
    if (quantiser === undefined) {
      throw new CheckpointError('unsupported', place, `expected a quantiser for type ${recipe}, got none`);
    }
    const { blockSize, blockBytes } = TENSOR_TYPES[type];
    if (quantiser.blockSize(type) !== blockSize || quantiser.typeSize(type) !== blockBytes) {
      throw new CheckpointError(
        'unsupported',
        place,
        `expected ${type} blocks of ${blockSize} weights in ${blockBytes} bytes, got ${quantiser.blockSize(type)} in ${quantiser.typeSize(type)}`,
      );
    }
  }
}
