import { createHash, type Hash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { parseShardPath } from './mesh/leaves.ts';
import { findShardFolder } from './mesh/shard-files.ts';

/** Files that a conversion reads. */
const READ_FILES = /\.(?:json|txt|safetensors|bin|pt)$/i;
/** Files beside a single file that a conversion may read: its tokenizer and its configuration. */
const FILES_BESIDE: readonly string[] = [
  'tokenizer.json',
  'vocab.json',
  'merges.txt',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'config.json',
];
const SAMPLES = 64;
const SAMPLE_BYTES = 2 ** 16;

/** A hash of what a conversion of `path` reads, a folder or a file with the files beside it. */
export async function fingerprintSource(path: string): Promise<string> {
  if ((await stat(path)).isDirectory()) return await fingerprintFolder(path);
  const hash = createHash('sha256');
  const folder = dirname(path);
  const beside = (await readdir(folder)).filter((name) => FILES_BESIDE.includes(name)).sort();
  for (const name of [basename(path), ...beside]) {
    hash.update(`${name}\0`);
    await addFile(hash, join(folder, name));
  }
  return hash.digest('hex');
}

/**
 * A hash of the files of a checkpoint's folder, whatever their times. Files up to 4 MiB are read whole. A larger one is
 * represented by its size and 64 samples spread over it: further training changes nearly every weight, and reading 24 GB at
 * every start would take longer than loading the model.
 */
export async function fingerprintFolder(folder: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  const hash = createHash('sha256');
  const names = entries.filter((entry) => !entry.isDirectory() && READ_FILES.test(entry.name)).map(({ name }) => name);
  const shards = await findShardFolder(folder);
  if (shards !== null) names.push(...(await shardNames(folder, shards)));
  for (const name of names.sort()) {
    hash.update(`${name}\0`);
    await addFile(hash, join(folder, name));
  }
  return hash.digest('hex');
}

/** Paths below `folder` of the files of shards. */
async function shardNames(folder: string, shards: string): Promise<readonly string[]> {
  const entries = await readdir(shards, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.filter((each) => each.isDirectory())) {
    const names = await readdir(join(shards, entry.name));
    const paths = names.map((name) => `${entry.name}/${name}`).filter((path) => parseShardPath(path) !== null);
    found.push(...paths.map((path) => join(relative(folder, shards), path)));
  }
  return found;
}

async function addFile(hash: Hash, path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    hash.update(`${size}\0`);
    const sample = Buffer.alloc(SAMPLE_BYTES);
    const isWhole = size <= SAMPLES * SAMPLE_BYTES;
    const count = isWhole ? Math.ceil(size / SAMPLE_BYTES) : SAMPLES;
    for (let i = 0; i < count; i++) {
      const at = isWhole ? i * SAMPLE_BYTES : Math.floor(((size - SAMPLE_BYTES) * i) / (SAMPLES - 1));
      const { bytesRead } = await file.read(sample, 0, SAMPLE_BYTES, at);
      hash.update(sample.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
