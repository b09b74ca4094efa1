import { stat } from 'node:fs/promises';
import type { Checkpoint } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { openGgufCheckpoint } from './gguf/open.ts';
import { openHuggingFaceCheckpoint } from './hugging-face.ts';

/** Open a Hugging Face folder or a phi2 export (GGUF). Throws `CheckpointError`. */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  return (await isFolder(path)) ? openHuggingFaceCheckpoint(path) : openGgufCheckpoint(path);
}

/** Throws `not_found`. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new CheckpointError('not_found', { file: path }, 'expected a model folder or a GGUF file, found nothing', {
      cause: error,
    });
  }
}
