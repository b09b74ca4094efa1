/**
 * Backups of the embedded store: the folder of its PostgreSQL as one gzipped tar, the form PGlite dumps and loads.
 * The whole store passes through memory; larger installations use a PostgreSQL of their own, and pg_dump.
 */
import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';
import { lockDataDir } from './data-dir-lock.ts';
import { openStore } from './db.ts';
import { StoreError } from './store-error.ts';

export type BackupErrorCode =
  /** The file to write exists; choose another name. */
  | 'backup_exists'
  /** The backup is missing or damaged, or was not made by this program. */
  | 'backup_unreadable'
  /** The backup cannot be written where it should go. */
  | 'backup_unwritable'
  /** There is no store in the data folder. */
  | 'store_missing'
  /** The data folder to restore into is not empty. */
  | 'store_present';

/** A backup or a restore cannot be done as things are. The message says what to do; nothing was changed. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: BackupErrorCode;

  constructor(code: BackupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Where a data folder has its store. */
export function storeFolder(dataDir: string): string {
  return join(dataDir, 'postgres');
}

/**
 * Write a backup to a file that is not there yet. It appears whole or not at all, readable by its owner alone: it holds
 * prompts, results and hashes of tokens and passwords.
 *
 * Throws `backup_exists`, `backup_unwritable`.
 */
export async function writeBackup(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const exists = (cause?: unknown): BackupError =>
    new BackupError('backup_exists', `${path} is there already; choose another name, or remove it first`, { cause });
  if (await isThere(path)) throw exists();
  const aside = `${path}.${randomBytes(6).toString('hex')}.partial`;
  let sizeBytes = 0;
  try {
    const file = await open(aside, 'wx', 0o600).catch((cause: unknown) => {
      throw unwritable(path, cause);
    });
    try {
      for await (const chunk of chunks) {
        // `write` may take less than it is given; `writeFile` goes on until all is written.
        await file.writeFile(chunk);
        sizeBytes += chunk.byteLength;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    // Unlike a rename, a link never replaces what came to be there meanwhile.
    await link(aside, path).catch((error: unknown) => {
      throw isCode(error, 'EEXIST') ? exists(error) : error;
    });
  } finally {
    await rm(aside, { force: true });
  }
  return sizeBytes;
}

/** Why there can be no file beside `path`, by the path that was asked for. */
function unwritable(path: string, cause: unknown): unknown {
  const folder = dirname(path);
  if (isCode(cause, 'ENOENT') || isCode(cause, 'ENOTDIR')) {
    return new BackupError('backup_unwritable', `${path}: there is no folder ${folder}; make it first`, { cause });
  }
  if (isCode(cause, 'EACCES') || isCode(cause, 'EPERM') || isCode(cause, 'EROFS')) {
    return new BackupError('backup_unwritable', `${path}: the folder ${folder} cannot be written to`, { cause });
  }
  return cause;
}

/**
 * The store of a data folder that no server uses. Throws `store_missing`, and `StoreError` `data_dir_in_use` while a
 * server runs: ask that one for a backup.
 */
export async function dumpDataDir(dataDir: string): Promise<Uint8Array> {
  const folder = storeFolder(dataDir);
  // Opened, a folder without a store would become one.
  if (!(await isThere(join(folder, 'PG_VERSION')))) {
    throw new BackupError('store_missing', `${dataDir} holds no store; set --data-dir to the server's data folder`);
  }
  const lock = await lockDataDir(dataDir);
  try {
    const pglite = await PGlite.create({ dataDir: folder });
    try {
      return new Uint8Array(await (await pglite.dumpDataDir('gzip')).arrayBuffer());
    } finally {
      await pglite.close();
    }
  } finally {
    await lock.release();
  }
}

/**
 * Make the store of a data folder from a backup. It is unpacked beside, opened and migrated before it takes its place:
 * a backup that cannot be used changes nothing.
 *
 * Throws `store_present`, `backup_unreadable`, and `StoreError` (`store_newer`, `data_dir_in_use`, …).
 */
export async function restoreDataDir(dataDir: string, path: string): Promise<void> {
  const folder = storeFolder(dataDir);
  const tar = await readBackup(path);
  const lock = await lockDataDir(dataDir);
  try {
    if (await isThere(folder)) {
      throw new BackupError(
        'store_present',
        `${dataDir} holds a store already; restore into another --data-dir, or move ${folder} away`,
      );
    }
    const aside = join(dirname(folder), `restore-${randomBytes(6).toString('hex')}`);
    try {
      await unpack(aside, tar, path);
      await rename(aside, folder);
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  } finally {
    await lock.release();
  }
}

/** The tar of a backup. Unzipped here: PGlite lets the errors of a file that was cut off end the process. */
async function readBackup(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await promisify(gunzip)(await readFile(path)));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackupError('backup_unreadable', `${path} is no backup: expected a whole gzipped tar: ${reason}`, {
      cause,
    });
  }
}

async function unpack(folder: string, tar: Uint8Array<ArrayBuffer>, path: string): Promise<void> {
  try {
    await (await openStore(folder, tar)).close();
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackupError('backup_unreadable', `${path} is no backup of a store: ${reason}`, { cause });
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
