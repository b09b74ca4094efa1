/** How much work waits, by pipeline: what alerts and autoscalers look at. */
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../store/db.ts';
import { returnedRows } from '../store/returned-rows.ts';

const rowSchema = z.object({
  pipelineId: z.string(),
  runs: z.coerce.number(),
  /** That the oldest waiting run has waited. */
  oldestSeconds: z.coerce.number(),
  /** That all of them need, one after the other: each as long as the mean run of a day. */
  computeSeconds: z.coerce.number(),
});
export type Backlog = z.infer<typeof rowSchema>;

/** Of a pipeline that has completed no run for a day. */
const UNKNOWN_RUN_SECONDS = 10;

/**
 * Of every pipeline that runs wait for, and of those in `pipelines`, which have zeros else: an alert cannot watch a series that is absent.
 * `deploy/helm` has the same sum for KEDA.
 */
export async function readBacklogs(db: Database, pipelines: readonly string[]): Promise<readonly Backlog[]> {
  const rows = await db.execute(sql`
    SELECT pipeline_id AS "pipelineId", w.runs, extract(epoch FROM greatest(now() - w.oldest, interval '0')) AS "oldestSeconds",
      w.runs * coalesce(s.seconds, ${UNKNOWN_RUN_SECONDS}::float8) AS "computeSeconds"
    FROM (SELECT pipeline_id, count(*) AS runs, min(created_at) AS oldest FROM runs
      WHERE ended_at IS NULL AND lease_owner IS NULL GROUP BY pipeline_id) w
    LEFT JOIN (SELECT pipeline_id, sum(compute_ms)::float8 / 1000 / nullif(sum(succeeded), 0) AS seconds FROM run_sums
      WHERE hour > now() - interval '1 day' GROUP BY pipeline_id) s USING (pipeline_id)
    ORDER BY pipeline_id`);
  const waiting = returnedRows(rows, rowSchema);
  const idle = pipelines.filter((id) => !waiting.some(({ pipelineId }) => pipelineId === id));
  return [...waiting, ...idle.map((pipelineId) => ({ pipelineId, runs: 0, oldestSeconds: 0, computeSeconds: 0 }))];
}
