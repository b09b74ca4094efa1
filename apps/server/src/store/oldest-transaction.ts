/** A transaction that stays open keeps PostgreSQL from removing dead rows, of which a queue makes many. */
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from './db.ts';
import { returnedRows } from './returned-rows.ts';

/**
 * Seconds since the oldest transaction began that holds dead rows back, sessions that wait with one open and prepared transactions
 * included; 0: none. Sessions of other users count where the server may read `pg_stat_activity` of them (`pg_read_all_stats`).
 */
export async function readOldestTransactionSeconds(db: Database): Promise<number> {
  const rows = await db.execute(sql`
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(since)), 0) AS seconds FROM (
      SELECT xact_start AS since FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
      UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()) t`);
  return Math.max(0, returnedRows(rows, z.object({ seconds: z.coerce.number() }))[0]?.seconds ?? 0);
}
