import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type GptjConfig, ModelError, parseGptjConfig } from '@gptj-cloud/model';
import { type ByteMatrix, createByteRows, findByteMatrices } from './blockwise-8bit.ts';
import { BoundedFile, type GrowingFile, readSmallJson } from './bounded-file.ts';
import type { Checkpoint } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { floatWeight } from './float-weight.ts';
import { type MatchedTensor, matchTensors } from './match-tensors.ts';
import { readPytorchHeader } from './pytorch/header.ts';
import { readSafetensorsHeader } from './safetensors/header.ts';
import { findShards, type Shards } from './shards.ts';
import { type HeaderReader, isRowMajor, type StoredTensor } from './stored-tensor.ts';
import type { StridedTensor } from './strided-rows.ts';
import { elementCount, rowBytes } from './tensor-type.ts';
import { readTokenizerFiles } from './tokenizer-files.ts';
import { TableCheckpoint, type TableWeight } from './weight-table.ts';

const MAX_CONFIG_BYTES = 1024 * 1024;

/** Maximum number of names in one warning. */
const MAX_NAMES_SHOWN = 20;

export const HEADER_READERS: Readonly<Record<Shards['format'], HeaderReader>> = {
  safetensors: readSafetensorsHeader,
  pytorch: readPytorchHeader,
};

/**
 * Open a Hugging Face folder: config.json and the weights as safetensors or PyTorch, in one file or in shards.
 *
 * Never executes code from the files. Throws `CheckpointError`; its message names the file and the tensor.
 */
export async function openHuggingFaceCheckpoint(folder: string): Promise<Checkpoint> {
  const model = await readConfig(join(folder, 'config.json'));
  return openFiles(folder, model, { shards: await findShards(folder), isPart: false, growing: null });
}

/**
 * The weights of one file of a folder. `isPart`: other files have those that are missing here. `growing`: the file is being
 * written. Throws as the whole folder does.
 */
export async function openWeightsFile(
  folder: string,
  path: string,
  { isPart, growing }: { readonly isPart: boolean; readonly growing: GrowingFile | null },
): Promise<Checkpoint> {
  const format = path.endsWith('.safetensors') ? 'safetensors' : 'pytorch';
  const model = await readConfig(join(folder, 'config.json'));
  return openFiles(folder, model, { shards: { format, files: [path] }, isPart, growing });
}

async function openFiles(
  folder: string,
  { config, isTied }: ModelConfig,
  {
    shards,
    isPart,
    growing,
  }: { readonly shards: Shards; readonly isPart: boolean; readonly growing: GrowingFile | null },
): Promise<Checkpoint> {
  const files: BoundedFile[] = [];
  try {
    // If two files contain a tensor, the last file's is used, as in transformers.
    const stored = new Map<string, PlacedTensor>();
    for (const path of shards.files) {
      const file = await BoundedFile.open(path, growing);
      files.push(file);
      for (const tensor of await HEADER_READERS[shards.format](file))
        stored.set(tensor.name, { ...tensor, source: tensor.source ?? file });
    }
    const { byteMatrices, floats } = splitByteMatrices(stored);
    const { weights, ignored } = matchTensors(folder, config, floats, isTied, isPart);
    return new TableCheckpoint({
      format: shards.format,
      form: formOf(byteMatrices.size, weights),
      path: folder,
      modelName: folderModelName(folder),
      config,
      files,
      weights: weights.map(({ name, stored: tensor }) => {
        const matrix = byteMatrices.get(tensor.name);
        return matrix === undefined ? floatWeight(name, tensor) : byteWeight(name, matrix);
      }),
      warnings: [...ignoredWarning(ignored), ...tokenizerWarning(folder)],
      readTokenizer: () => readTokenizerFiles(folder, config.vocabSize),
    });
  } catch (error) {
    await Promise.all(files.map((file) => file.close()));
    throw error;
  }
}

interface ModelConfig {
  readonly config: GptjConfig;
  /** Whether embedding and head may be one tensor. */
  readonly isTied: boolean;
}

export async function readConfig(path: string): Promise<ModelConfig> {
  const json = await readSmallJson(path, MAX_CONFIG_BYTES);
  try {
    const config = parseGptjConfig(json);
    const isTied = typeof json === 'object' && json !== null && Reflect.get(json, 'tie_word_embeddings') === true;
    return { config, isTied };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new CheckpointError('invalid_config', { file: path }, error.message, { cause: error });
  }
}

type PlacedTensor = StoredTensor & Pick<StridedTensor, 'source'>;

/** Matrices of bytes take part under the name of their weight alone, as numbers that are decoded. */
function splitByteMatrices(stored: ReadonlyMap<string, PlacedTensor>): {
  readonly byteMatrices: ReadonlyMap<string, ByteMatrix>;
  readonly floats: readonly PlacedTensor[];
} {
  const byteMatrices = findByteMatrices(stored);
  const tables = new Set([...byteMatrices.values()].flatMap(({ absmax, code }) => [absmax.name, code.name]));
  const floats = [...stored.values()]
    .filter(({ name }) => !tables.has(name))
    .map((tensor): PlacedTensor => (byteMatrices.has(tensor.name) ? { ...tensor, type: 'f32' } : tensor));
  return { byteMatrices, floats };
}

function formOf(byteMatrices: number, weights: readonly MatchedTensor<PlacedTensor>[]): string | null {
  if (byteMatrices > 0) return '8-bit codes in blocks of 4096 (hivemind)';
  const transposed = weights.filter(({ stored: { shape, strides } }) => !isRowMajor(shape, strides)).length;
  return transposed > 1 ? 'transposed views (mesh-transformer-jax)' : null;
}

function byteWeight(name: string, matrix: ByteMatrix): TableWeight {
  createByteRows(matrix);
  const { shape } = matrix.weight;
  const count = elementCount(shape);
  return {
    name,
    shape,
    type: 'f32',
    sizeBytes: count * rowBytes('f32', 1),
    stored: { type: 'u8', sizeBytes: count },
    openRows: () => createByteRows(matrix),
  };
}

function ignoredWarning(names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, MAX_NAMES_SHOWN).map((name) => name.slice(0, 200));
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : '';
  return [`ignored, as GPT-J has no such tensors: ${shown.join(', ')}${more}`];
}

function tokenizerWarning(folder: string): readonly string[] {
  return ['tokenizer.json', 'vocab.json'].some((name) => existsSync(join(folder, name)))
    ? []
    : ['no tokenizer.json and no vocab.json: the folder cannot be converted'];
}

/** `EleutherAI/gpt-j-6b` for a snapshot in the Hugging Face cache, else the name of the folder. */
export function folderModelName(folder: string): string {
  const path = resolve(folder).split(/[\\/]/);
  const [repository, snapshots] = path.slice(-3);
  const [kind, ...parts] = repository?.split('--') ?? [];
  if (path.length >= 3 && snapshots === 'snapshots' && kind === 'models' && parts.length > 0) return parts.join('/');
  return basename(resolve(folder));
}
