/** Receivers of webhooks and their breakers. */
import { and, eq, gt, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../store/db.ts';
import { returnedRows } from '../store/returned-rows.ts';
import type { Lane } from './delivery-rotation.ts';
import type { WebhookLimits } from './webhook-limits.ts';
import { webhookReceivers } from './webhook-tables.ts';

/** A project and the host of one of its webhooks. */
export interface Receiver {
  readonly projectId: string;
  readonly host: string;
}

const laneSchema = z.object({
  webhookId: z.string(),
  projectId: z.string(),
  host: z.string(),
  isProven: z.boolean(),
  due: z.coerce.number(),
});

/**
 * The webhooks with due deliveries whose breaker is not open. Costs one look-up per webhook that has waiting deliveries,
 * however many it has. A breaker that is open for longer than the longest pause was opened by a clock that was wrong.
 *
 * @param atMost due deliveries counted per webhook
 */
export async function findDueLanes(
  db: Database,
  now: Date,
  { atMost, breakerMaxPauseMs }: { readonly atMost: number; readonly breakerMaxPauseMs: number },
): Promise<readonly Lane[]> {
  const [at, latest] = [now.toISOString(), new Date(now.getTime() + breakerMaxPauseMs).toISOString()];
  const found = await db.execute(sql`
    WITH RECURSIVE waiting AS (
      (SELECT webhook_id FROM webhook_deliveries WHERE state = 'pending' ORDER BY webhook_id LIMIT 1)
      UNION ALL
      SELECT (
        SELECT d.webhook_id FROM webhook_deliveries d
        WHERE d.state = 'pending' AND d.webhook_id > waiting.webhook_id ORDER BY d.webhook_id LIMIT 1)
      FROM waiting WHERE waiting.webhook_id IS NOT NULL
    )
    SELECT w.id AS "webhookId", w.project_id AS "projectId", w.host, coalesce(r.failures = 0, false) AS "isProven", due.due
    FROM waiting
    JOIN webhooks w ON w.id = waiting.webhook_id
    LEFT JOIN webhook_receivers r ON r.project_id = w.project_id AND r.host = w.host
    CROSS JOIN LATERAL (
      SELECT count(*) AS due FROM (
        SELECT 1 FROM webhook_deliveries d
        WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.due_at <= ${at}::timestamptz
        LIMIT ${atMost}) AS counted
    ) AS due
    WHERE due.due > 0
      AND (r.open_until IS NULL OR r.open_until <= ${at}::timestamptz OR r.open_until > ${latest}::timestamptz)`);
  return returnedRows(found, laneSchema);
}

/** Record that a receiver replied: its breaker closes. */
export async function closeBreaker(db: Database, { projectId, host }: Receiver, now: Date): Promise<void> {
  const closed = { failures: 0, openUntil: null, updatedAt: now };
  await db
    .insert(webhookReceivers)
    .values({ projectId, host, ...closed })
    .onConflictDoUpdate({ target: [webhookReceivers.projectId, webhookReceivers.host], set: closed });
}

/**
 * Record that a receiver did not reply. Opens its breaker after the given number of failures in a row, for twice as long
 * with each further one. Attempts that began before it opened do not count again.
 *
 * @returns whether the breaker is open
 */
export async function countReceiverFailure(
  db: Database,
  { projectId, host }: Receiver,
  attempt: { readonly startedAt: Date; readonly now: Date },
  limits: Pick<WebhookLimits, 'breakerFailures' | 'breakerPauseMs' | 'breakerMaxPauseMs'>,
): Promise<boolean> {
  const { breakerFailures: threshold, breakerPauseMs, breakerMaxPauseMs } = limits;
  const [startedAt, now] = [attempt.startedAt.toISOString(), attempt.now.toISOString()];
  const openUntil = (failures: ReturnType<typeof sql>) => sql`
    CASE WHEN ${failures} >= ${threshold}::int THEN ${now}::timestamptz + make_interval(secs =>
      least(${breakerMaxPauseMs}::float8, ${breakerPauseMs}::float8 * power(2, least(${failures} - ${threshold}::int, 30)))
      / 1000) END`;
  const stored = await db.execute(sql`
    INSERT INTO webhook_receivers AS r (project_id, host, failures, open_until, updated_at)
    VALUES (${projectId}, ${host}, 1, ${openUntil(sql`1`)}, ${now}::timestamptz)
    ON CONFLICT (project_id, host) DO UPDATE SET
      failures = r.failures + 1, open_until = ${openUntil(sql`(r.failures + 1)`)}, updated_at = excluded.updated_at
    WHERE r.open_until IS NULL OR r.open_until <= ${startedAt}::timestamptz OR r.updated_at > ${now}::timestamptz
    RETURNING open_until IS NOT NULL AS "isOpen"`);
  return returnedRows(stored, z.object({ isOpen: z.boolean() }))[0]?.isOpen ?? true;
}

/** Let one message try a receiver whose breaker is open. */
export async function halfOpenBreaker(db: Database, { projectId, host }: Receiver, now: Date): Promise<void> {
  await db
    .update(webhookReceivers)
    .set({ openUntil: now })
    .where(
      and(
        eq(webhookReceivers.projectId, projectId),
        eq(webhookReceivers.host, host),
        gt(webhookReceivers.openUntil, now),
      ),
    );
}

/** Forget what is known of a receiver, so that the next message is sent at once. */
export async function forgetReceiver(db: Database, { projectId, host }: Receiver): Promise<void> {
  await db
    .delete(webhookReceivers)
    .where(and(eq(webhookReceivers.projectId, projectId), eq(webhookReceivers.host, host)));
}

/** The number of open breakers. */
export async function countOpenBreakers(db: Database, now: Date): Promise<number> {
  return await db.$count(webhookReceivers, gt(webhookReceivers.openUntil, now));
}

/** Delete receivers that no webhook has any more. */
export async function deleteUnusedReceivers(db: Database, before: Date): Promise<void> {
  await db.execute(sql`
    DELETE FROM webhook_receivers r WHERE r.updated_at < ${before.toISOString()}::timestamptz
      AND NOT EXISTS (SELECT 1 FROM webhooks w WHERE w.project_id = r.project_id AND w.host = r.host)`);
}
