import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from './options.ts';

export interface WriteOptions {
  /** Replace an existing file. */
  readonly overwrite: boolean;
  /** Default 0o644, less the umask. */
  readonly mode?: number;
}

/** Checks that {@link writeNewFile} can begin, before what is to be written is computed for hours. Throws `UsageError`. */
export function checkNewFile(path: string, { overwrite }: WriteOptions, others: string): void {
  if (existsSync(path) && !overwrite) throw new UsageError(`${path} already exists; --overwrite replaces it${others}`);
  if (!existsSync(dirname(path))) throw new UsageError(`${path}: its folder does not exist; create it first`);
}

/**
 * Write a file whole or not at all: it is written beside its place, and put there when it is on the disk. Throws where it
 * exists and may not be replaced.
 */
export async function writeNewFile(path: string, bytes: string | Uint8Array, options: WriteOptions): Promise<void> {
  const partial = `${path}.${randomBytes(6).toString('hex')}.partial`;
  try {
    const file = await open(partial, 'wx', options.mode ?? 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    if (options.overwrite) {
      await rename(partial, path);
    } else {
      // Unlike a rename, a link fails where the name is taken.
      await link(partial, path);
      await rm(partial);
    }
  } catch (error) {
    await rm(partial, { force: true });
    const code: unknown = Reflect.get(Object(error), 'code');
    if (code === 'EEXIST') throw new Error(`${path} already exists; --overwrite replaces it`, { cause: error });
    if (code === 'ENOENT') throw new Error(`${path}: its folder does not exist; create it first`, { cause: error });
    throw error;
  }
}
