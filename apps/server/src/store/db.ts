import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import type { Logger } from '../telemetry/logger.ts';
import { readBigintsAsNumbers } from './bigint-parser.ts';
import { backupFolder } from './embedded/backup-folder.ts';
import { EmbeddedThread } from './embedded/embedded-thread.ts';
import { WorkerSocket } from './embedded/worker-socket.ts';
import { createGuardedPool } from './guarded-pool.ts';
import { createOutageLog } from './outage-log.ts';
import { returnedRows } from './returned-rows.ts';
import { storeFull } from './store-outage.ts';
import type { OpenStoreSession } from './store-session.ts';
import { createWriteWatch, type WriteWatch } from './write-watch.ts';

/** Drizzle on any PostgreSQL: the type that features query. A transaction has it too. */
export type Database = PgDatabase<PgQueryResultHKT, Record<string, never>>;

/** An open, migrated database. */
export interface Store {
  readonly db: Database;
  /** The whole store as a gzipped tar of its folder, consistent while in use. Null on a PostgreSQL server: use pg_dump. */
  readonly dump: (() => AsyncIterable<Uint8Array>) | null;
  /** Opens a connection to the other processes on the store; null where there can be no others. */
  readonly openSession: OpenStoreSession | null;
  /** Notices changes of tables; null where other processes may make some. */
  readonly writes: WriteWatch | null;
  /** Bytes of the database on its disk. */
  size(): Promise<number>;
  /** Rejects with `store_full` while the disk is full and nothing can be written. */
  checkDisk(): Promise<void>;
  /** Flush and close. Idempotent. */
  close(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Tar of a dump to restore; the folder must then be empty. Its bytes are moved to another thread: the caller has them no more. */
  readonly tar?: Uint8Array<ArrayBuffer>;
  /** Longest time of one statement; the store is then opened again. Default 60 s. */
  readonly statementTimeoutMs?: number;
  /** Keep 24 MB beside the folder to open it with when the disk is full. Default false. */
  readonly keepsReserve?: boolean;
  readonly logger?: Pick<Logger, 'warn' | 'info' | 'error'>;
}

const STATEMENT_TIMEOUT_MS = 60_000;
/** How long a query waits for the one connection. */
const CONNECT_TIMEOUT_MS = 30_000;
const NO_LOGGER: Pick<Logger, 'warn' | 'info' | 'error'> = { warn: () => {}, info: () => {}, error: () => {} };

/**
 * Open the embedded PostgreSQL in a folder, or in memory when `folder` is null, and migrate it. It runs in a thread of its
 * own. What it has committed survives a power cut. A new folder takes a few seconds. One process at a time: lock the
 * folder with `lockDataDir` first.
 *
 * Throws `StoreError` when PostgreSQL cannot open the folder, or this version cannot migrate the data.
 */
export async function openStore(folder: string | null, options: EmbeddedOptions = {}): Promise<Store> {
  readBigintsAsNumbers();
  const { logger = NO_LOGGER, statementTimeoutMs = STATEMENT_TIMEOUT_MS, tar = null, keepsReserve = false } = options;
  const thread = await EmbeddedThread.open({
    folder,
    tar,
    keepsReserve,
    packetTimeoutMs: statementTimeoutMs,
    onDiskChange: (isFull) => {
      if (isFull) logger.error('the disk of the data folder is full: the store reads, and writes nothing', { folder });
      else logger.info('the disk of the data folder has room again: the store writes', { folder });
    },
    onDeath: (reason, opensAgain) =>
      logger.error(
        opensAgain ? 'the embedded store ended; opening it again' : 'the embedded store ended before it was closed',
        { reason },
      ),
    onReopen: () => logger.info('the embedded store is open again'),
  });
  const writes = createWriteWatch();
  const pool = createGuardedPool({
    user: 'postgres',
    database: 'postgres',
    // PGlite has one session, and a client that holds it has exclusive use of the store.
    max: 1,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    stream: () => new WorkerSocket(thread),
    prepares: true,
    beginsAhead: true,
    onStatement: (text) => writes.note(text),
    isFull: () => thread.isFull,
    ...createOutageLog(logger, () => performance.now()),
  });
  let closing: Promise<void> | undefined;
  const db: Database = drizzle(pool);
  return {
    db,
    openSession: null,
    writes,
    size: () => databaseSize(db),
    async *dump() {
      if (folder === null) yield await thread.dump();
      else yield* backupFolder(folder, thread);
    },
    async checkDisk() {
      if (thread.isFull) throw storeFull();
    },
    close: () => (closing ??= pool.end().then(() => thread.close())),
  };
}

/** Bytes of the database, indexes included. */
export async function databaseSize(db: Database): Promise<number> {
  const rows = await db.execute(sql`SELECT pg_database_size(current_database()) AS bytes`);
  return returnedRows(rows, z.object({ bytes: z.coerce.number() }))[0]?.bytes ?? 0;
}
