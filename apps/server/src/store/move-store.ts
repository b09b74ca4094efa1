/** Moves a server's data between the embedded store of a data folder and a PostgreSQL server. */
import { randomBytes } from 'node:crypto';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupError, storeFolder } from './backup.ts';
import { type CopyOptions, copyStore } from './copy-store.ts';
import type { CopiedTable } from './copy-tables.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { openStore, type Store } from './db.ts';
import { syncFolder, syncPath } from './embedded/sync-folder.ts';
import { openPostgres } from './postgres.ts';

/** A copy of many rows is one long transaction on either side. */
const STATEMENT_TIMEOUT_MS = 24 * 3_600_000;

type MoveOptions = Pick<CopyOptions, 'onProgress' | 'signal'>;

/**
 * Copy the embedded store of a data folder, which no server may use, into an empty PostgreSQL database. The folder stays as
 * it is. Throws `store_missing`, `StoreError` (`data_dir_in_use`, `database_unreachable`, …) and the errors of `copyStore`.
 */
export async function copyToPostgres(
  dataDir: string,
  url: string,
  options: MoveOptions = {},
): Promise<readonly CopiedTable[]> {
  const folder = storeFolder(dataDir);
  if (!(await exists(join(folder, 'PG_VERSION')))) {
    throw new BackupError('store_missing', `${dataDir} holds no store; set --data-dir to the server's data folder`);
  }
  const lock = await lockDataDir(dataDir);
  try {
    return await withStore(openPostgres(url, { statementTimeoutMs: STATEMENT_TIMEOUT_MS }), (target) =>
      withStore(openStore(folder, { statementTimeoutMs: STATEMENT_TIMEOUT_MS }), (source) =>
        copyStore(source.db, target.db, { ...options, isLocked: true }),
      ),
    );
  } finally {
    await lock.release();
  }
}

/**
 * Copy a PostgreSQL database, which no server may use, into the embedded store of a data folder that has none. The store
 * appears whole, or not at all. Throws `store_present`, `StoreError` and the errors of `copyStore`.
 */
export async function copyFromPostgres(
  url: string,
  dataDir: string,
  options: MoveOptions = {},
): Promise<readonly CopiedTable[]> {
  const folder = storeFolder(dataDir);
  const lock = await lockDataDir(dataDir);
  try {
    if (await exists(folder)) {
      throw new BackupError(
        'store_present',
        `${dataDir} already holds a store; copy into another --data-dir, or move ${folder} away`,
      );
    }
    const temporary = join(dataDir, `copy-${randomBytes(6).toString('hex')}`);
    try {
      const copied = await withStore(openPostgres(url, { statementTimeoutMs: STATEMENT_TIMEOUT_MS }), (source) =>
        withStore(openStore(temporary, { statementTimeoutMs: STATEMENT_TIMEOUT_MS }), (target) =>
          copyStore(source.db, target.db, options),
        ),
      );
      await syncFolder(temporary);
      await rename(temporary, folder);
      await syncPath(dataDir);
      return copied;
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  } finally {
    await lock.release();
  }
}

async function withStore<Result>(opening: Promise<Store>, work: (store: Store) => Promise<Result>): Promise<Result> {
  const store = await opening;
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
