/**
 * One process per data folder: a lock of the kernel on the file `server.lock` (`flock`). The kernel gives it up when the
 * process ends, however it ends, also before its parent has collected it, and sees every process of the machine, whatever
 * container or PID namespace it runs in. On Windows, which has no such lock, files take its place (`process-lock.ts`).
 */
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { tryFileLock } from './file-lock.ts';
import { makeFolder } from './make-folder.ts';
import { lockByProcess } from './process-lock.ts';
import { StoreError } from './store-error.ts';

export interface DataDirLock {
  /** Give the folder free. Idempotent. */
  release(): Promise<void>;
}

/** Lock the folder, which is created when it is missing. Throws `data_dir_in_use` or `data_dir_unusable`. */
export async function lockDataDir(folder: string): Promise<DataDirLock> {
  try {
    // Prompts and results are readable by the server's user alone.
    await makeFolder(folder, 0o700);
    return process.platform === 'win32' ? await lockByProcess(folder) : await lockByKernel(folder);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError('data_dir_unusable', `cannot use the data folder ${folder}: ${String(error)}`, {
      cause: error,
    });
  }
}

async function lockByKernel(folder: string): Promise<DataDirLock> {
  const path = join(folder, 'server.lock');
  for (;;) {
    const file = await open(path, 'a+', 0o600);
    let isHeld = false;
    try {
      switch (tryFileLock(file.fd)) {
        case 'taken':
          throw new StoreError(
            'data_dir_in_use',
            `${folder} is in use by the server with ${await holderOf(file)}; stop it, or set DATA_DIR to another folder`,
          );
        case 'unsupported':
          throw new StoreError(
            'data_dir_unusable',
            `cannot use the data folder ${folder}: its file system has no locks, which keep two servers apart; set DATA_DIR to a local disk, or use DATABASE_URL`,
          );
        case 'locked':
          isHeld = await isSameFile(file, path);
      }
      // The last holder removed the file between opening and locking it.
      if (!isHeld) continue;
      await file.truncate();
      await file.write(`process id ${process.pid} on host ${hostname()}, since ${new Date().toISOString()}\n`);
    } finally {
      if (!isHeld) await file.close();
    }
    return releasing(path, file);
  }
}

function releasing(path: string, file: FileHandle): DataDirLock {
  let released: Promise<void> | undefined;
  return {
    release() {
      // Removed while it is locked, so that no other process locks a file that is gone.
      released ??= rm(path, { force: true }).finally(() => file.close());
      return released;
    },
  };
}

async function isSameFile(file: FileHandle, path: string): Promise<boolean> {
  const [own, current] = await Promise.all([file.stat(), stat(path).catch(() => null)]);
  return current !== null && own.ino === current.ino && own.dev === current.dev;
}

/** What the holder wrote about itself; the process id is that of its own namespace. */
async function holderOf(file: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(200), 0, 200, 0);
  const line = buffer.toString('utf8', 0, bytesRead).split('\n')[0] ?? '';
  return line === '' ? 'a process id that it has not written yet' : line;
}
