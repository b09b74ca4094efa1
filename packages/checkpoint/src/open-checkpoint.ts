import { stat } from 'node:fs/promises';
import { isTarHeader, TAR_BLOCK_BYTES } from './archive/tar.ts';
import { ZSTD_MAGIC } from './archive/zstd.ts';
import { BoundedFile, readStart } from './bounded-file.ts';
import type { Checkpoint } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import type { GgmlEra } from './ggml/era.ts';
import { GGML_MAGIC } from './ggml/header.ts';
import { openGgmlCheckpoint } from './ggml/open.ts';
import { openGgufCheckpoint } from './gguf/open.ts';
import { openHuggingFaceCheckpoint } from './hugging-face.ts';
import { openMeshCheckpoint } from './mesh/open.ts';
import { findShardFolder, openShardFolder, openShardTar, openShardTarZstd } from './mesh/shard-files.ts';

/** What only some forms need to know. */
export interface OpenOptions {
  /** Folder of a tokenizer.json, or a GGUF file, for a checkpoint without tokenizer. Default: the files beside it. */
  readonly tokenizer?: string;
  /** The same, where none is named and none is beside the checkpoint. */
  readonly defaultTokenizer?: string;
  /** Version of the blocks of a ggml file. Default: the one that it states, if the lengths of its tensors fit. */
  readonly ggmlEra?: GgmlEra;
  /** Folder for the temporary file that a compressed archive is decompressed to. Without it such an archive is refused. */
  readonly spoolFolder?: string;
  /** Ends a decompression. */
  readonly signal?: AbortSignal;
}

/** What lies at a path, by its kind and first bytes. */
export type SourceKind = 'hugging-face' | 'mesh' | 'mesh-tar' | 'mesh-tar-zstd' | 'ggml' | 'gguf';

/**
 * Open a GPT-J in any form that is read: a Hugging Face folder, shards of mesh-transformer-jax in a folder or an archive, a
 * file of ggml's example gpt-j, or a phi2 export (GGUF). Throws `CheckpointError`.
 */
export async function openCheckpoint(path: string, options: OpenOptions = {}): Promise<Checkpoint> {
  const tokenizer = { named: options.tokenizer ?? null, fallback: options.defaultTokenizer ?? null };
  const kind = await sourceKind(path);
  switch (kind) {
    case 'hugging-face':
      return openHuggingFaceCheckpoint(path);
    case 'mesh':
      return openMeshCheckpoint(path, await openShardFolder((await findShardFolder(path)) ?? path), tokenizer);
    case 'mesh-tar':
      return openMeshCheckpoint(path, await openShardTar(path), tokenizer);
    case 'mesh-tar-zstd':
      if (options.spoolFolder === undefined) {
        throw new CheckpointError(
          'unsupported',
          { file: path },
          'expected an archive that is not compressed, as nothing may be written here; convert it, or decompress it with zstd -d',
        );
      }
      return openMeshCheckpoint(path, await openShardTarZstd(path, options.spoolFolder, options.signal), tokenizer);
    case 'ggml':
      return openGgmlCheckpoint(path, { era: options.ggmlEra ?? null, tokenizer });
    case 'gguf':
      return openGgufCheckpoint(path);
    default:
      return kind satisfies never;
  }
}

/** Throws `not_found`, `io`. A file that nothing is known of counts as GGUF, whose reader names what it got. */
export async function sourceKind(path: string): Promise<SourceKind> {
  if (await isFolder(path)) return (await findShardFolder(path)) === null ? 'hugging-face' : 'mesh';
  const file = await BoundedFile.open(path);
  try {
    const start = await readStart(file, TAR_BLOCK_BYTES);
    const begins = (magic: readonly number[]): boolean => magic.every((byte, i) => start[i] === byte);
    if (begins(GGML_MAGIC)) return 'ggml';
    if (begins(ZSTD_MAGIC)) return 'mesh-tar-zstd';
    return isTarHeader(start) ? 'mesh-tar' : 'gguf';
  } finally {
    await file.close();
  }
}

/** Throws `not_found`. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new CheckpointError('not_found', { file: path }, 'expected a model folder or a model file, found nothing', {
      cause: error,
    });
  }
}
