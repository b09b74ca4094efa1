import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type GptjConfig, ModelError, parseGptjConfig } from '@gptj-cloud/model';
import { BoundedFile, readSmallJson } from './bounded-file.ts';
import type { Checkpoint, CheckpointFormat, CheckpointTensor } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { type MatchedTensor, matchTensors } from './match-tensors.ts';
import { readPytorchHeader } from './pytorch/header.ts';
import { readSafetensorsHeader } from './safetensors/header.ts';
import { findShards, type Shards } from './shards.ts';
import type { HeaderReader, StoredTensor } from './stored-tensor.ts';
import { rowBytes, rowsOf } from './tensor-type.ts';
import type { TokenizerData } from './tokenizer-data.ts';
import { readTokenizerFiles } from './tokenizer-files.ts';

const MAX_CONFIG_BYTES = 1024 * 1024;

const HEADER_READERS: Readonly<Record<Shards['format'], HeaderReader>> = {
  safetensors: readSafetensorsHeader,
  pytorch: readPytorchHeader,
};

/** A stored tensor and the file it lies in. */
interface ShardTensor extends StoredTensor {
  readonly source: BoundedFile;
}

/**
 * Open a Hugging Face folder: config.json and the weights as safetensors or PyTorch, in one file or in shards.
 *
 * No code in the files is ever run. Throws `CheckpointError`; its code says what is wrong and its message where.
 */
export async function openHuggingFaceCheckpoint(folder: string): Promise<Checkpoint> {
  const config = await readConfig(join(folder, 'config.json'));
  const shards = await findShards(folder);
  const files: BoundedFile[] = [];
  try {
    const stored: ShardTensor[] = [];
    for (const path of shards.files) {
      const file = await BoundedFile.open(path);
      files.push(file);
      for (const tensor of await HEADER_READERS[shards.format](file)) {
        checkOwner(shards, tensor.name, path);
        stored.push({ ...tensor, source: file });
      }
    }
    const matched = matchTensors(folder, config, stored);
    return new HuggingFaceCheckpoint(folder, shards.format, config, files, matched);
  } catch (error) {
    await Promise.all(files.map((file) => file.close()));
    throw error;
  }
}

async function readConfig(path: string): Promise<GptjConfig> {
  const json = await readSmallJson(path, MAX_CONFIG_BYTES);
  try {
    return parseGptjConfig(json);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new CheckpointError('invalid_config', { file: path }, error.message, { cause: error });
  }
}

function checkOwner(shards: Shards, tensor: string, path: string): void {
  const owner = shards.owner?.get(tensor);
  if (owner !== undefined && owner !== path) {
    throw new CheckpointError(
      'duplicate_tensor',
      { file: path, tensor },
      `expected it in ${basename(owner)} alone, as the index says, got it here too`,
    );
  }
}

class HuggingFaceCheckpoint implements Checkpoint {
  readonly format: CheckpointFormat;
  readonly path: string;
  readonly modelName: string;
  readonly config: GptjConfig;
  readonly tensors: readonly CheckpointTensor[];
  readonly warnings: readonly string[];
  readonly #files: readonly BoundedFile[];
  readonly #stored: ReadonlyMap<string, MatchedTensor<ShardTensor>>;

  constructor(
    path: string,
    format: CheckpointFormat,
    config: GptjConfig,
    files: readonly BoundedFile[],
    matched: readonly MatchedTensor<ShardTensor>[],
  ) {
    this.path = path;
    this.format = format;
    this.modelName = basename(resolve(path));
    this.config = config;
    this.tensors = matched.map(({ name, type, stored }) => ({
      name,
      type,
      shape: stored.shape,
      sizeBytes: stored.sizeBytes,
    }));
    this.warnings = ['tokenizer.json', 'vocab.json'].some((name) => existsSync(join(path, name)))
      ? []
      : ['no tokenizer.json and no vocab.json: the folder cannot be converted'];
    this.#files = files;
    this.#stored = new Map(matched.map((tensor) => [tensor.name, tensor]));
  }

  async readRows(name: string, firstRow: number, target: Uint8Array): Promise<void> {
    const tensor = this.#stored.get(name);
    if (tensor === undefined) {
      throw new CheckpointError('missing_tensor', { file: this.path, tensor: name }, 'expected the name of a weight');
    }
    const { source, offset, sizeBytes, shape } = tensor.stored;
    const start = firstRow * rowBytes(tensor.type, rowsOf(shape).rowLength);
    if (start < 0 || start + target.byteLength > sizeBytes) {
      throw new CheckpointError(
        'truncated',
        { file: source.path, tensor: name },
        `expected rows within ${sizeBytes} bytes, got ${target.byteLength} bytes from ${start} on`,
      );
    }
    await source.read(offset + start, target);
  }

  async readTokenizer(): Promise<TokenizerData> {
    return readTokenizerFiles(this.path, this.config);
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()));
  }
}
