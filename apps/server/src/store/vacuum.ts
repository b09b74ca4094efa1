/**
 * What autovacuum does on a PostgreSQL server, for the embedded store, in which it does not run: without it the space of
 * deleted rows is never used again, plans are made without statistics, and no index alone can answer a query.
 */
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from './db.ts';
import { returnedRows } from './returned-rows.ts';

/**
 * Vacuum and analyse the table that changed most since it was, if a fifth of its rows and at least a thousand rows have
 * changed. One table at a time, since the store does nothing else meanwhile. Returns its name, or null.
 */
export async function vacuumMostChanged(db: Database): Promise<string | null> {
  const found = await db.execute(sql`
    SELECT relname AS name FROM (
      SELECT relname, n_live_tup, greatest(n_dead_tup, n_ins_since_vacuum, n_mod_since_analyze) AS changed
      FROM pg_stat_user_tables) AS tables
    WHERE changed > 1000 + 0.2 * n_live_tup ORDER BY changed DESC LIMIT 1`);
  const name = returnedRows(found, z.object({ name: z.string() }))[0]?.name;
  if (name === undefined) return null;
  await db.execute(sql`VACUUM (ANALYZE) ${sql.identifier(name)}`);
  return name;
}
