import { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/node-postgres';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { embeddedPool } from './embedded-pool.ts';
import { loadMigrations, migrate } from './migrate.ts';

/** Drizzle on any PostgreSQL: the type that features query. A transaction has it too. */
export type Database = PgDatabase<PgQueryResultHKT, Record<string, never>>;

/** An open, migrated database. */
export interface Store {
  readonly db: Database;
  /** The whole store as a gzipped tar of its folder, consistent while in use. Null on a PostgreSQL server: use pg_dump. */
  readonly dump: (() => Promise<Uint8Array>) | null;
  /** Flush and close. Idempotent. */
  close(): Promise<void>;
}

/**
 * Open the embedded PostgreSQL in a folder, or in memory when `folder` is null, and migrate it. A new folder takes a few
 * seconds. One process at a time: lock the folder with `lockDataDir` first.
 *
 * @param from tar of a dump to restore; the folder must then be empty
 *
 * Throws `StoreError` when this version cannot migrate the data.
 */
export async function openStore(folder: string | null, from?: Uint8Array<ArrayBuffer>): Promise<Store> {
  const pglite = await PGlite.create({
    ...(folder === null ? {} : { dataDir: folder }),
    ...(from === undefined ? {} : { loadDataDir: new Blob([from], { type: 'application/x-tar' }) }),
  });
  try {
    await migrate((work) => pglite.transaction((tx) => work(tx)), await loadMigrations());
  } catch (error) {
    await pglite.close();
    throw error;
  }
  const pool = embeddedPool(pglite);
  let closing: Promise<void> | undefined;
  return {
    db: drizzle(pool),
    async dump() {
      const client = await pool.connect();
      try {
        // After a checkpoint, opening the copy has little to recover.
        await client.query('CHECKPOINT');
        return new Uint8Array(await (await pglite.dumpDataDir('gzip')).arrayBuffer());
      } finally {
        client.release();
      }
    },
    close: () => (closing ??= pool.end().then(() => pglite.close())),
  };
}
