import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type ConvertOptions, type ConvertSummary, convertCheckpoint } from './convert.ts';
import { fingerprintSource } from './folder-fingerprint.ts';

export interface ConvertOnceOptions
  extends Pick<ConvertOptions, 'type' | 'open' | 'quantiser' | 'onProgress' | 'signal'> {
  /** A checkpoint: a folder, or a single file of ggml or an archive of mesh-transformer-jax. */
  readonly source: string;
  /** Folder of converted models; created when it is missing. */
  readonly models: string;
  /** Excludes other processes from `models`. Resolves when none converts there any more. */
  readonly lock: () => Promise<{ release(): Promise<void> }>;
  /** Called before a conversion begins. */
  readonly onBegin?: (target: string) => void;
}

export interface ConvertedOnce {
  /** The GGUF file. */
  readonly path: string;
  /** Null: an earlier call has converted it. */
  readonly summary: ConvertSummary | null;
}

/**
 * The GGUF file of a checkpoint, converted by the first call and found by later ones, as long as the contents of its files
 * stay the same. The file appears under its name when it is complete; what a killed conversion left is removed
 * by the next one. Throws the errors of `convertCheckpoint`.
 */
export async function convertOnce(options: ConvertOnceOptions): Promise<ConvertedOnce> {
  const { source, models, type, lock, onBegin, ...rest } = options;
  const key = (await fingerprintSource(source)).slice(0, 16);
  const path = join(models, `${safeName(basename(source))}-${key}-${type}.gguf`);
  if (await exists(path)) return { path, summary: null };
  await mkdir(models, { recursive: true, mode: 0o700 });
  const held = await lock();
  try {
    // Another process may have converted it meanwhile.
    if (await exists(path)) return { path, summary: null };
    const partial = (await readdir(models)).filter((name) => /^\..*\.partial$/.test(name));
    await Promise.all(partial.map((name) => rm(join(models, name), { force: true })));
    onBegin?.(path);
    return { path, summary: await convertCheckpoint({ source, target: path, type, ...rest }) };
  } finally {
    await held.release();
  }
}

/** Letters of a name that every file system has. */
function safeName(name: string): string {
  return name.replace(/[^\w.-]/g, '_').slice(0, 60) || 'model';
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
