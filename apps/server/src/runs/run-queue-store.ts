/** The open runs of all projects, for the owners of the server. */
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../store/db.ts';
import { returnedRows } from '../store/returned-rows.ts';

const rowSchema = z.object({
  id: z.string(),
  state: z.enum(['received', 'running']),
  projectId: z.string(),
  projectName: z.string(),
  userId: z.string(),
  username: z.string(),
  pipelineId: z.string(),
  reservedTokens: z.coerce.number().nullable(),
  priority: z.number(),
  attempts: z.number(),
  isAsync: z.boolean(),
  createdAt: z.coerce.date(),
  startedAt: z.coerce.date().nullable(),
  cancelRequested: z.boolean(),
});
export type OpenRun = z.infer<typeof rowSchema>;

/** Running ones first, then in the order of the queue. */
export async function listOpenRuns(
  db: Database,
  { skip, limit }: { readonly skip: number; readonly limit: number },
): Promise<readonly OpenRun[]> {
  const rows = await db.execute(sql`
    SELECT r.id, r.state, r.project_id AS "projectId", p.name AS "projectName", u.id AS "userId", u.username,
      r.pipeline_id AS "pipelineId", s.tokens AS "reservedTokens", r.priority, r.attempts, r.is_async AS "isAsync",
      r.created_at AS "createdAt", r.started_at AS "startedAt", r.cancel_requested_at IS NOT NULL AS "cancelRequested"
    FROM (
      SELECT * FROM runs WHERE ended_at IS NULL
      ORDER BY state = 'running' DESC, priority DESC, created_at, id LIMIT ${limit} OFFSET ${skip}
    ) r
    JOIN projects p ON p.id = r.project_id
    LEFT JOIN api_keys k ON k.id = r.api_key_id
    JOIN users u ON u.id = coalesce(k.user_id, p.owner_id)
    CROSS JOIN LATERAL (
      SELECT CASE WHEN r.admission_ticket LIKE '{%' THEN r.admission_ticket::jsonb -> 'meter' END AS meter) t
    LEFT JOIN usage_reservations s ON s.account_id = t.meter ->> 'accountId' AND s.seq = (t.meter ->> 'seq')::bigint
    ORDER BY r.state = 'running' DESC, r.priority DESC, r.created_at, r.id`);
  return returnedRows(rows, rowSchema);
}

/** When the run arrived that has waited longest; null when none waits. */
export async function findOldestWaiting(db: Database): Promise<Date | null> {
  const rows = await db.execute(
    sql`SELECT min(created_at) AS "createdAt" FROM runs WHERE ended_at IS NULL AND state = 'received'`,
  );
  return returnedRows(rows, z.object({ createdAt: z.coerce.date().nullable() }))[0]?.createdAt ?? null;
}

/** The project of an open run; null when there is no such run. */
export async function findProjectOfOpenRun(db: Database, id: string): Promise<string | null> {
  const rows = await db.execute(sql`SELECT project_id AS "projectId" FROM runs WHERE id = ${id} AND ended_at IS NULL`);
  return returnedRows(rows, z.object({ projectId: z.string() }))[0]?.projectId ?? null;
}
