import { open } from 'node:fs/promises';
import { errnoOf } from '../model-store-error.ts';

/** Errors of systems that cannot open or flush folders, and need not. */
const UNSUPPORTED: ReadonlySet<string | null> = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL']);

/** Flush a folder, so that names in it survive a loss of power. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!UNSUPPORTED.has(errnoOf(error))) throw error;
  }
}
