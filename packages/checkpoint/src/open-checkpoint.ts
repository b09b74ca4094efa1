import { stat } from 'node:fs/promises';
import { BoundedFile, readStart } from './bounded-file.ts';
import type { Checkpoint } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import type { GgmlEra } from './ggml/era.ts';
import { GGML_MAGIC } from './ggml/header.ts';
import { openGgmlCheckpoint } from './ggml/open.ts';
import { openGgufCheckpoint } from './gguf/open.ts';
import { openHuggingFaceCheckpoint } from './hugging-face.ts';

/** What only some forms need to know. */
export interface OpenOptions {
  /** Folder of a tokenizer.json, or a GGUF file, for a checkpoint without tokenizer. Default: the files beside it. */
  readonly tokenizer?: string;
  /** The same, where none is named and none is beside the checkpoint. */
  readonly defaultTokenizer?: string;
  /** Version of the blocks of a ggml file. Default: the one that it states, if the lengths of its tensors fit. */
  readonly ggmlEra?: GgmlEra;
}

/** What lies at a path, by its kind and first bytes. */
export type SourceKind = 'hugging-face' | 'ggml' | 'gguf';

/**
 * Open a GPT-J in any form that is read: a Hugging Face folder, a file of ggml's example gpt-j, or a phi2 export (GGUF). Throws
 * `CheckpointError`.
 */
export async function openCheckpoint(path: string, options: OpenOptions = {}): Promise<Checkpoint> {
  const tokenizer = { named: options.tokenizer ?? null, fallback: options.defaultTokenizer ?? null };
  const kind = await sourceKind(path);
  switch (kind) {
    case 'hugging-face':
      return openHuggingFaceCheckpoint(path);
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
  if (await isFolder(path)) return 'hugging-face';
  const file = await BoundedFile.open(path);
  try {
    const start = await readStart(file, GGML_MAGIC.length);
    return GGML_MAGIC.every((byte, i) => start[i] === byte) ? 'ggml' : 'gguf';
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
