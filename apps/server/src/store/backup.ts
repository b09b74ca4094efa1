/**
 * Backups of the embedded store: its PostgreSQL folder as one gzipped tar. A backup is written as it is read; restoring it
 * passes the whole store through memory. Larger installations use a PostgreSQL server and pg_dump.
 */
import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { lockDataDir } from './data-dir-lock.ts';
import { openStore } from './db.ts';
import { backupClosedFolder } from './embedded/backup-folder.ts';
import { syncFolder, syncPath } from './embedded/sync-folder.ts';
import { StoreError } from './store-error.ts';

export type BackupErrorCode =
  /** The target file exists; choose another name. */
  | 'backup_exists'
  /** The file is missing, damaged, or not a backup of this program. */
  | 'backup_unreadable'
  /** The target folder is missing or not writable. */
  | 'backup_unwritable'
  /** The data folder holds no store. */
  | 'store_missing'
  /** The data folder to restore into already holds a store. */
  | 'store_present';

/** A backup or restore was refused and changed nothing. The message names the remedy. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: BackupErrorCode;

  constructor(code: BackupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The folder of the embedded store inside a data folder. */
export function storeFolder(dataDir: string): string {
  return join(dataDir, 'postgres');
}

/**
 * Write a backup to a new file. The file is created atomically, readable by its owner only: a backup contains
 * prompts, results and hashes of tokens and passwords. Resolves to its size in bytes.
 *
 * Throws `backup_exists`, `backup_unwritable`.
 */
export async function writeBackup(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const alreadyExists = (cause?: unknown): BackupError =>
    new BackupError('backup_exists', `${path} already exists; choose another name, or remove it first`, { cause });
  if (await exists(path)) throw alreadyExists();
  const partial = `${path}.${randomBytes(6).toString('hex')}.partial`;
  let sizeBytes = 0;
  try {
    const file = await open(partial, 'wx', 0o600).catch((cause: unknown) => {
      throw unwritable(path, cause);
    });
    try {
      for await (const chunk of chunks) {
        // `write` may write a part of the chunk; `writeFile` writes all of it.
        await file.writeFile(chunk);
        sizeBytes += chunk.byteLength;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    // Unlike rename, link never replaces a file that appeared in the meantime.
    await link(partial, path).catch((error: unknown) => {
      throw isCode(error, 'EEXIST') ? alreadyExists(error) : error;
    });
  } finally {
    await rm(partial, { force: true });
  }
  return sizeBytes;
}

/** The `backup_unwritable` error for a failed creation next to `path`; other errors unchanged. */
function unwritable(path: string, cause: unknown): unknown {
  const folder = dirname(path);
  if (isCode(cause, 'ENOENT') || isCode(cause, 'ENOTDIR')) {
    return new BackupError('backup_unwritable', `${path}: the folder ${folder} does not exist; create it first`, {
      cause,
    });
  }
  if (isCode(cause, 'EACCES') || isCode(cause, 'EPERM') || isCode(cause, 'EROFS')) {
    return new BackupError('backup_unwritable', `${path}: the folder ${folder} is not writable`, { cause });
  }
  return cause;
}

/**
 * Dump the store of a data folder that no server uses, also one that was not stopped in order. Throws `store_missing`, and `StoreError` `data_dir_in_use` while a
 * server runs: request the backup from that server.
 */
export async function* dumpDataDir(dataDir: string): AsyncGenerator<Uint8Array> {
  const folder = storeFolder(dataDir);
  if (!(await exists(join(folder, 'PG_VERSION')))) {
    throw new BackupError('store_missing', `${dataDir} holds no store; set --data-dir to the server's data folder`);
  }
  const lock = await lockDataDir(dataDir);
  try {
    yield* backupClosedFolder(folder);
  } finally {
    await lock.release();
  }
}

/**
 * Restore the store of a data folder from a backup. The backup is unpacked into a temporary folder, opened and migrated
 * before it is renamed into place: an unusable backup changes nothing.
 *
 * Throws `store_present`, `backup_unreadable`, and `StoreError` (`store_newer`, `data_dir_in_use`, …).
 */
export async function restoreDataDir(dataDir: string, path: string): Promise<void> {
  const folder = storeFolder(dataDir);
  const tar = await readBackup(path);
  const lock = await lockDataDir(dataDir);
  try {
    if (await exists(folder)) {
      throw new BackupError(
        'store_present',
        `${dataDir} already holds a store; restore into another --data-dir, or move ${folder} away`,
      );
    }
    const temporary = join(dirname(folder), `restore-${randomBytes(6).toString('hex')}`);
    try {
      await unpack(temporary, tar, path);
      await syncFolder(temporary);
      await rename(temporary, folder);
      await syncPath(dataDir);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  } finally {
    await lock.release();
  }
}

/** The tar of a backup. Decompressed here, because a truncated file inside PGlite ends the process. */
async function readBackup(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await promisify(gunzip)(await readFile(path)));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackupError('backup_unreadable', `${path} is not a backup: expected a whole gzipped tar: ${reason}`, {
      cause,
    });
  }
}

async function unpack(folder: string, tar: Uint8Array<ArrayBuffer>, path: string): Promise<void> {
  try {
    await (await openStore(folder, { tar })).close();
  } catch (cause) {
    if (cause instanceof StoreError && cause.code !== 'store_unusable') throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackupError('backup_unreadable', `${path} is not a backup of a store: ${reason}`, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
