import { PGlite } from '@electric-sql/pglite';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/pglite';
import { loadMigrations, migrate } from './migrate.ts';

/** What features query: Drizzle on any Postgres. A transaction is one, too. */
export type Database = PgDatabase<PgQueryResultHKT, Record<string, never>>;

/** An open, migrated database. */
export interface Store {
  readonly db: Database;
  /** The whole store as a gzipped tar of its folder, consistent while in use. Null for a PostgreSQL: use pg_dump. */
  readonly dump: (() => Promise<Uint8Array>) | null;
  /** Flush and close. Idempotent. */
  close(): Promise<void>;
}

/**
 * Open the embedded PostgreSQL in a folder, or in memory when `folder` is null, and migrate it. A fresh folder takes
 * a few seconds. One process at a time: guard the folder with `lockDataDir` first.
 *
 * @param from tar of a dump to begin with; the folder must then be fresh
 *
 * Throws `StoreError` when the data and this version do not fit together.
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
  let closing: Promise<void> | undefined;
  return {
    db: drizzle(pglite),
    async dump() {
      // Little is left to recover for whoever opens the copy.
      await pglite.exec('CHECKPOINT');
      return new Uint8Array(await (await pglite.dumpDataDir('gzip')).arrayBuffer());
    },
    close: () => (closing ??= pglite.close()),
  };
}
