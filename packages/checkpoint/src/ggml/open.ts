import { basename } from 'node:path';
import { type GptjConfig, gptjTensors, ModelError, parseGptjConfig } from '@gptj-cloud/model';
import { BoundedFile } from '../bounded-file.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { elementCount, isFloatType, rowBytes, type TensorType } from '../tensor-type.ts';
import { readTokenizerFrom, type TokenizerSource } from '../tokenizer-source.ts';
import { TableCheckpoint, type TableWeight } from '../weight-table.ts';
import { checkVocabulary } from './check-vocabulary.ts';
import type { GgmlEra } from './era.ts';
import { type GgmlHeader, type GgmlTensor, readGgmlHeader } from './header.ts';
import { createGgmlRows } from './rows.ts';

/** Files to about March 2023 store the transposes of these matrices. */
const ONCE_TRANSPOSED = /\.(?:attn\.(?:[qkv]|out)_proj|mlp\.fc_in)\.weight$/;

/**
 * Open a file of ggml's example gpt-j. Its vocabulary has no merges, so the tokenizer is taken from elsewhere, and
 * checked against it.
 *
 * Throws `CheckpointError` with the code of the fault.
 */
export async function openGgmlCheckpoint(
  path: string,
  { era, tokenizer }: { readonly era: GgmlEra | null; readonly tokenizer: TokenizerSource },
): Promise<Checkpoint> {
  const file = await BoundedFile.open(path);
  try {
    const header = await readGgmlHeader(file, era);
    const config = configOf(path, header);
    const isTransposed = storesTransposes(header, config);
    const types = new Set(header.tensors.map(({ type }) => type.name));
    return new TableCheckpoint({
      format: 'ggml',
      form: `era v${header.era}, ${[...types].join(' and ')}${isTransposed ? ', transposed' : ''}`,
      path,
      modelName: basename(path).replace(/\.[^.]*$/, ''),
      config,
      files: [file],
      weights: matchWeights(file, header, config, isTransposed),
      warnings:
        era !== null || header.era === header.statedEra
          ? []
          : [
              `read as ggml's era v${header.era}: the lengths of its tensors do not fit v${header.statedEra}, which it states`,
            ],
      async readTokenizer() {
        const found = await readTokenizerFrom(path, tokenizer, config.vocabSize);
        checkVocabulary(path, header.tokens, found.data);
        return found;
      },
    });
  } catch (error) {
    await file.close();
    throw error;
  }
}

function configOf(file: string, { shape, tensors }: GgmlHeader): GptjConfig {
  const bias = tensors.find(({ name }) => name.endsWith('h.0.mlp.fc_in.bias'));
  try {
    return parseGptjConfig({
      model_type: 'gptj',
      vocab_size: shape.vocabSize,
      n_positions: shape.contextLength,
      n_embd: shape.embeddingSize,
      n_head: shape.headCount,
      n_layer: shape.layerCount,
      rotary_dim: shape.rotaryDim,
      n_inner: bias?.shape[0] ?? null,
    });
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new CheckpointError('invalid_config', { file }, error.message, { cause: error });
  }
}

/** Shown by the one matrix of them that is not square. */
function storesTransposes({ tensors }: GgmlHeader, { embeddingSize, feedForwardSize }: GptjConfig): boolean {
  const [rows, columns] = tensors.find(({ name }) => name.endsWith('h.0.mlp.fc_in.weight'))?.shape ?? [];
  return rows === embeddingSize && columns === feedForwardSize && embeddingSize !== feedForwardSize;
}

function matchWeights(
  source: BoundedFile,
  { tensors }: GgmlHeader,
  config: GptjConfig,
  isTransposed: boolean,
): readonly TableWeight[] {
  const byName = new Map<string, GgmlTensor>();
  for (const tensor of tensors) {
    const name = /^lm_head\.|^transformer\./.test(tensor.name) ? tensor.name : `transformer.${tensor.name}`;
    if (byName.has(name)) {
      throw new CheckpointError(
        'duplicate_tensor',
        { file: source.path, tensor: name },
        'expected one tensor, got two',
      );
    }
    byName.set(name, tensor);
  }
  const weights = gptjTensors(config).map(({ name, shape }): TableWeight => {
    const place = { file: source.path, tensor: name };
    const tensor = byName.get(name);
    if (tensor === undefined) {
      throw new CheckpointError('missing_tensor', place, `expected shape [${shape}], got no such tensor`);
    }
    byName.delete(name);
    const wasTransposed = isTransposed && ONCE_TRANSPOSED.test(name);
    const stored = wasTransposed ? [...tensor.shape].reverse() : tensor.shape;
    // Converters wrote vectors as they are, and once as matrices of one row.
    const found = shape.length === 1 && stored.length === 2 && stored[0] === 1 ? stored.slice(1) : stored;
    if (found.length !== shape.length || found.some((size, i) => size !== shape[i])) {
      throw new CheckpointError('wrong_shape', place, `expected [${shape}], got [${stored}]`);
    }
    if (shape.length < 2 && (tensor.type.same === null || !isFloatType(tensor.type.same))) {
      throw new CheckpointError('wrong_type', place, `expected float32 or float16, got ${tensor.type.name}`);
    }
    const type: TensorType =
      tensor.type.same !== null && (!wasTransposed || isFloatType(tensor.type.same)) ? tensor.type.same : 'f32';
    return {
      name,
      shape,
      type,
      sizeBytes: rowBytes(type, elementCount(shape)),
      ...(type === tensor.type.same ? {} : { stored: { type: tensor.type.name, sizeBytes: tensor.sizeBytes } }),
      openRows: (memory) => createGgmlRows(source, tensor, wasTransposed, memory),
    };
  });
  for (const name of byName.keys()) {
    throw new CheckpointError(
      'unexpected_tensor',
      { file: source.path, tensor: name },
      'expected the weights of a GPT-J',
    );
  }
  return weights;
}
