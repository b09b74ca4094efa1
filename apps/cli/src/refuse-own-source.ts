import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from './options.ts';

/** Throws `UsageError` when `target` is the file `source`, or a file of the folder `source`, by whatever name. */
export async function refuseOwnSource(source: string, target: string): Promise<void> {
  const written = await stat(target).catch(() => null);
  if (written === null) return;
  const folder = await readdir(source).catch(() => null);
  const paths = folder === null ? [source] : folder.map((name) => join(source, name));
  for (const path of paths) {
    const read = await stat(path).catch(() => null);
    if (read === null || read.dev !== written.dev || read.ino !== written.ino) continue;
    throw new UsageError(`${target} is the source itself: write to another file, and rename it when you have tried it`);
  }
}
