import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSmallJson } from './bounded-file.ts';
import type { CheckpointFormat } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';

/** The weights files of a Hugging Face folder. */
export interface Shards {
  readonly format: Extract<CheckpointFormat, 'safetensors' | 'pytorch'>;
  /** Paths, each once. */
  readonly files: readonly string[];
}

const MAX_INDEX_BYTES = 16 * 1024 * 1024;
const MAX_SHARDS = 1024;

const PLACES = [
  { format: 'safetensors', single: 'model.safetensors', index: 'model.safetensors.index.json' },
  { format: 'pytorch', single: 'pytorch_model.bin', index: 'pytorch_model.bin.index.json' },
] as const;

/** Whether a folder has weights under one of transformers' names. */
export function hasWeights(folder: string): boolean {
  return PLACES.some(({ single, index }) => existsSync(join(folder, single)) || existsSync(join(folder, index)));
}

/** Find the weights. Prefers safetensors to PyTorch, and one file to shards. Throws `not_found`, `malformed`. */
export async function findShards(folder: string): Promise<Shards> {
  for (const { format, single, index } of PLACES) {
    const path = join(folder, single);
    if (existsSync(path)) return { format, files: [path] };
    const indexPath = join(folder, index);
    if (existsSync(indexPath)) {
      return { format, files: parseIndex(folder, indexPath, await readSmallJson(indexPath, MAX_INDEX_BYTES)) };
    }
  }
  throw new CheckpointError(
    'not_found',
    { file: folder },
    `expected one of ${PLACES.flatMap(({ single, index }) => [single, index]).join(', ')}, found none`,
  );
}

/**
 * The files that the index names. Its assignment of tensors to files is ignored, as in transformers:
 * all tensors of all of these files are loaded, in the order of the file names.
 */
function parseIndex(folder: string, path: string, index: unknown): readonly string[] {
  const map = typeof index === 'object' && index !== null && 'weight_map' in index ? index.weight_map : undefined;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new CheckpointError('malformed', { file: path }, 'expected weight_map to be an object from tensor to file');
  }
  const files = new Set<string>();
  for (const [tensor, file] of Object.entries(map)) {
    // A name with a separator could point outside the folder.
    if (typeof file !== 'string' || !/^[A-Za-z0-9_][\w.-]{0,200}$/.test(file)) {
      throw new CheckpointError(
        'malformed',
        { file: path, tensor },
        `expected the plain name of a file in the same folder, got ${JSON.stringify(file)?.slice(0, 100)}`,
      );
    }
    files.add(join(folder, file));
  }
  if (files.size === 0 || files.size > MAX_SHARDS) {
    throw new CheckpointError(
      'malformed',
      { file: path },
      `expected 1 to ${MAX_SHARDS} files in weight_map, got ${files.size}`,
    );
  }
  return [...files].sort();
}
