import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type GptjConfig, ModelError, parseGptjConfig } from '@gptj-cloud/model';
import { BoundedFile, readSmallJson } from './bounded-file.ts';
import type { Checkpoint, CheckpointFormat, CheckpointTensor, CheckpointTokenizer } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { matchTensors } from './match-tensors.ts';
import { readPytorchHeader } from './pytorch/header.ts';
import { readSafetensorsHeader } from './safetensors/header.ts';
import { findShards, type Shards } from './shards.ts';
import { type HeaderReader, STORED_FLOAT_BYTES, type StoredTensor } from './stored-tensor.ts';
import { BandMemory, createRowReader, type RowReader, type StridedTensor } from './strided-rows.ts';
import { elementCount, type FloatType, rowBytes, rowsOf } from './tensor-type.ts';
import { readTokenizerFiles } from './tokenizer-files.ts';

const MAX_CONFIG_BYTES = 1024 * 1024;

/** Maximum number of names in one warning. */
const MAX_NAMES_SHOWN = 20;

const HEADER_READERS: Readonly<Record<Shards['format'], HeaderReader>> = {
  safetensors: readSafetensorsHeader,
  pytorch: readPytorchHeader,
};

/** A weight in a Hugging Face folder. */
interface Weight extends CheckpointTensor {
  readonly type: FloatType;
  readonly strided: StridedTensor;
}

/**
 * Open a Hugging Face folder: config.json and the weights as safetensors or PyTorch, in one file or in shards.
 *
 * Never executes code from the files. Throws `CheckpointError`; its message names the file and the tensor.
 */
export async function openHuggingFaceCheckpoint(folder: string): Promise<Checkpoint> {
  const { config, isTied } = await readConfig(join(folder, 'config.json'));
  const shards = await findShards(folder);
  const files: BoundedFile[] = [];
  try {
    // If two files contain a tensor, the last file's is used, as in transformers.
    const stored = new Map<string, StoredTensor & { readonly source: BoundedFile }>();
    for (const path of shards.files) {
      const file = await BoundedFile.open(path);
      files.push(file);
      for (const tensor of await HEADER_READERS[shards.format](file))
        stored.set(tensor.name, { ...tensor, source: file });
    }
    const { weights, ignored } = matchTensors(folder, config, [...stored.values()], isTied);
    return new HuggingFaceCheckpoint(folder, {
      format: shards.format,
      config,
      files,
      weights: weights.map(({ name, stored: tensor }) => toWeight(name, tensor)),
      warnings: [...ignoredWarning(ignored), ...tokenizerWarning(folder)],
    });
  } catch (error) {
    await Promise.all(files.map((file) => file.close()));
    throw error;
  }
}

async function readConfig(path: string): Promise<{ readonly config: GptjConfig; readonly isTied: boolean }> {
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

function toWeight(name: string, strided: StridedTensor): Weight {
  const type = strided.type === 'f64' ? 'f32' : strided.type;
  // Refuses unsupported strides on opening, before a conversion writes anything.
  createRowReader(strided);
  const sizeBytes = elementCount(strided.shape) * rowBytes(type, 1);
  return { name, shape: strided.shape, type, sizeBytes, strided };
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

interface Contents {
  readonly format: CheckpointFormat;
  readonly config: GptjConfig;
  readonly files: readonly BoundedFile[];
  readonly weights: readonly Weight[];
  readonly warnings: readonly string[];
}

class HuggingFaceCheckpoint implements Checkpoint {
  readonly format: CheckpointFormat;
  readonly path: string;
  readonly modelName: string;
  readonly config: GptjConfig;
  readonly tensors: readonly CheckpointTensor[];
  readonly warnings: readonly string[];
  readonly #files: readonly BoundedFile[];
  readonly #weights: ReadonlyMap<string, Weight>;
  readonly #memory = new BandMemory();
  /** Reader of the last tensor, reused because the reader of a transposed tensor caches many rows. */
  #last: { readonly name: string; readonly reader: RowReader } | null = null;

  constructor(path: string, { format, config, files, weights, warnings }: Contents) {
    this.path = path;
    this.format = format;
    this.modelName = folderModelName(path);
    this.config = config;
    this.tensors = weights.map(({ name, type, shape, sizeBytes }) => ({ name, type, shape, sizeBytes }));
    this.warnings = warnings;
    this.#files = files;
    this.#weights = new Map(weights.map((weight) => [weight.name, weight]));
  }

  async readRows(name: string, firstRow: number, target: Uint8Array): Promise<void> {
    const weight = this.#weights.get(name);
    if (weight === undefined) {
      throw new CheckpointError('missing_tensor', { file: this.path, tensor: name }, 'expected the name of a weight');
    }
    const { strided, sizeBytes, shape, type } = weight;
    const start = firstRow * rowBytes(type, rowsOf(shape).rowLength);
    if (start < 0 || start + target.byteLength > sizeBytes) {
      throw new CheckpointError(
        'truncated',
        { file: strided.source.path, tensor: name },
        `expected rows within ${sizeBytes} bytes, got ${target.byteLength} bytes from ${start} on`,
      );
    }
    if (this.#last?.name !== name) {
      this.#last?.reader.release();
      this.#last = { name, reader: createRowReader(strided, this.#memory) };
    }
    const { reader } = this.#last;
    if (strided.type !== 'f64') {
      await reader.read(firstRow, target);
      return;
    }
    const wide = new Float64Array(target.byteLength / STORED_FLOAT_BYTES.f32);
    await reader.read(firstRow, new Uint8Array(wide.buffer));
    new Float32Array(target.buffer, target.byteOffset, wide.length).set(wide);
  }

  async readTokenizer(): Promise<CheckpointTokenizer> {
    return readTokenizerFiles(this.path, this.config.vocabSize);
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()));
  }
}
