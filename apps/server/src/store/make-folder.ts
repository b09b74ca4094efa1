import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Create a folder and those above it. Node's own recursive `mkdir` tries for ever on a file system that answers
 * "no such file" for a new name in a folder that exists, such as /proc. Throws the error of the file system.
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (await isFolder(path)) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path || (await isFolder(parent))) throw error;
    await makeFolder(parent, mode);
    // Another process may have created it meanwhile.
    await mkdir(path, { mode }).catch(async (cause: unknown) => {
      if (!(await isFolder(path))) throw cause;
    });
  }
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
