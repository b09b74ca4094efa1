/**
 * What autovacuum does on a PostgreSQL server, for the embedded store, in which it does not run: without it the space of
 * deleted rows is never used again, plans are made without statistics, and no index alone can answer a query.
 */
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from './db.ts';
import { returnedRows } from './returned-rows.ts';

/** A table of large rows is vacuumed after this many bytes of changes: the time of a vacuum grows with them. */
const MAX_CHANGED_BYTES = 32 * 2 ** 20;

/**
 * Vacuum and analyse the table that changed most since it was, if a fifth of its rows and at least a thousand rows have
 * changed; vacuum it without reading a sample of it, if 32 MB of its rows have changed. One table at a time, since
 * the store does nothing else meanwhile. Sizes are asked of changed tables alone: each is several calls to the file system.
 * Returns its name, or null.
 */
export async function vacuumMostChanged(db: Database): Promise<string | null> {
  const found = await db.execute(sql`
    SELECT name, by_rows > 1 AS analyse FROM (
      SELECT relname AS name,
        greatest(unclean, n_mod_since_analyze) / (1000 + 0.2 * n_live_tup) AS by_rows,
        unclean * (pg_table_size(relid)::float8 / greatest(n_live_tup + n_dead_tup, 1)) / ${MAX_CHANGED_BYTES} AS by_bytes
      FROM (SELECT *, greatest(n_dead_tup, n_ins_since_vacuum) AS unclean FROM pg_stat_user_tables) AS counts
      WHERE greatest(unclean, n_mod_since_analyze) > 0) AS tables
    WHERE greatest(by_rows, by_bytes) > 1 ORDER BY greatest(by_rows, by_bytes) DESC LIMIT 1`);
  const [table] = returnedRows(found, z.object({ name: z.string(), analyse: z.boolean() }));
  if (table === undefined) return null;
  await db.execute(sql`VACUUM ${sql.raw(table.analyse ? '(ANALYZE)' : '')} ${sql.identifier(table.name)}`);
  return table.name;
}
