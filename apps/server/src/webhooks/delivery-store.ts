/** Deliveries of webhooks: the outbox that is filled with the ends of runs. */
import { isId, newId, type PageQuery, webhookDeliveryEventSchema } from '@gptj-cloud/protocol';
import { and, eq, inArray, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../store/db.ts';
import { findPage, type Page } from '../store/page.ts';
import { returnedRows } from '../store/returned-rows.ts';
import type { RunEndEvent, Webhook, WebhookDelivery } from './webhook.ts';
import { toWebhook } from './webhook-store.ts';
import { webhookDeliveries, webhooks } from './webhook-tables.ts';

/** What a delivery records that was not stored as waiting because of `maxPending`. */
const BACKLOG_FULL = 'not sent: too many messages of this webhook were waiting';
/** What the waiting deliveries of a disabled webhook record. */
export const WEBHOOK_DISABLED = 'the webhook is disabled';

export interface Enqueued {
  /** Deliveries that wait to be sent. */
  readonly waiting: number;
  /** Deliveries stored as failed, because too many of their webhook wait. */
  readonly dropped: number;
}

/**
 * Store a delivery of each run end for every enabled webhook of its project that subscribes to the event. For the
 * transaction that ends the runs.
 *
 * @param maxPending waiting deliveries of one webhook; further ones are stored as failed
 */
export async function enqueueDeliveries(
  tx: Database,
  ends: readonly RunEndEvent[],
  maxPending: number,
): Promise<Enqueued> {
  const items = ends.map(({ endedAt, ...event }) => ({ ...event, endedAt: endedAt.toISOString() }));
  const stored = await tx.execute(sql`
    WITH ends AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(items)}::text::jsonb) AS e (
        "runId" text, "projectId" text, event text, "endedAt" timestamptz)
    ), hooks AS MATERIALIZED (
      SELECT w.id, w.project_id, w.events, (
        SELECT count(*) FROM (
          SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending' LIMIT ${maxPending}
        ) AS counted) AS pending
      FROM webhooks w WHERE w.is_enabled AND w.project_id IN (SELECT "projectId" FROM ends)
    ), wanted AS (
      SELECT h.id AS webhook_id, e."runId", e.event, e."endedAt",
        h.pending + row_number() OVER (PARTITION BY h.id ORDER BY e."endedAt") <= ${maxPending} AS has_room
      FROM ends e JOIN hooks h ON h.project_id = e."projectId" AND e.event = ANY(string_to_array(h.events, ' '))
    )
    INSERT INTO webhook_deliveries (id, webhook_id, run_id, event, state, created_at, due_at, ended_at, failure)
    SELECT 'webhook_delivery_' || replace(gen_random_uuid()::text, '-', ''), webhook_id, "runId", event,
      CASE WHEN has_room THEN 'pending' ELSE 'failed' END, "endedAt", "endedAt",
      CASE WHEN has_room THEN NULL ELSE "endedAt" END, CASE WHEN has_room THEN NULL ELSE ${BACKLOG_FULL} END
    FROM wanted
    RETURNING state`);
  const states = returnedRows(stored, z.object({ state: z.string() }));
  const waiting = states.filter(({ state }) => state === 'pending').length;
  return { waiting, dropped: states.length - waiting };
}

/** Store a new delivery that is due at once. For the transaction that has locked the webhook. */
export async function insertDelivery(
  tx: Database,
  { webhookId, runId, event }: Pick<WebhookDelivery, 'webhookId' | 'runId' | 'event'>,
  now: Date,
): Promise<WebhookDelivery> {
  const stored = { id: newId('webhook_delivery'), webhookId, runId, event, createdAt: now, dueAt: now };
  await tx.insert(webhookDeliveries).values({ ...stored, state: 'pending' });
  return { ...stored, state: 'pending', attempts: 0, endedAt: null, responseStatus: null, failure: null };
}

/** The number of waiting deliveries of a webhook, counted up to `limit`. */
export async function countPending(db: Database, webhookId: string, limit: number): Promise<number> {
  const counted = await db.execute(sql`
    SELECT count(*) AS pending FROM (
      SELECT 1 FROM webhook_deliveries WHERE webhook_id = ${webhookId} AND state = 'pending' LIMIT ${limit}) AS counted`);
  return returnedRows(counted, z.object({ pending: z.coerce.number() }))[0]?.pending ?? 0;
}

export async function findDelivery(db: Database, webhookId: string, id: string): Promise<WebhookDelivery | null> {
  if (!isId('webhook_delivery', id)) return null;
  const rows = await db
    .select()
    .from(webhookDeliveries)
    .where(and(eq(webhookDeliveries.id, id), eq(webhookDeliveries.webhookId, webhookId)));
  return rows[0] === undefined ? null : toDelivery(rows[0]);
}

export async function listDeliveries(
  db: Database,
  filter: {
    readonly webhookId: string;
    readonly state: WebhookDelivery['state'] | null;
    readonly runId: string | null;
  },
  page: PageQuery<'created_at'>,
): Promise<Page<WebhookDelivery>> {
  const { createdAt: time, id } = webhookDeliveries;
  const where = and(
    eq(webhookDeliveries.webhookId, filter.webhookId),
    filter.state === null ? undefined : eq(webhookDeliveries.state, filter.state),
    filter.runId === null ? undefined : eq(webhookDeliveries.runId, filter.runId),
  );
  const source = { table: webhookDeliveries, time, id, where };
  const load = async (ids: readonly string[]) =>
    (
      await db
        .select()
        .from(webhookDeliveries)
        .where(inArray(id, [...ids]))
    ).map(toDelivery);
  return await findPage(db, source, page, load, (delivery) => delivery.id);
}

/** Lease the oldest due deliveries of webhooks until `leaseUntil` and count the attempt; other servers skip them meanwhile. */
export async function claimDeliveries(
  db: Database,
  claim: { readonly counts: ReadonlyMap<string, number>; readonly now: Date; readonly leaseUntil: Date },
): Promise<readonly { readonly delivery: WebhookDelivery; readonly webhook: Webhook }[]> {
  const wanted = [...claim.counts].map(([webhookId, count]) => ({ webhookId, count }));
  const due = sql`
    SELECT picked.id FROM jsonb_to_recordset(${JSON.stringify(wanted)}::text::jsonb) AS p ("webhookId" text, count integer)
    CROSS JOIN LATERAL (
      SELECT d.id FROM webhook_deliveries d
      WHERE d.webhook_id = p."webhookId" AND d.state = 'pending' AND d.due_at <= ${claim.now.toISOString()}::timestamptz
      ORDER BY d.due_at LIMIT p.count FOR UPDATE SKIP LOCKED) AS picked`;
  const claimed = await db
    .update(webhookDeliveries)
    .set({ dueAt: claim.leaseUntil, attempts: sql`${webhookDeliveries.attempts} + 1` })
    .from(webhooks)
    .where(and(eq(webhooks.id, webhookDeliveries.webhookId), sql`${webhookDeliveries.id} = ANY(ARRAY(${due}))`))
    .returning();
  return claimed.map(({ webhooks: webhook, ...row }) => ({ delivery: toDelivery(row), webhook: toWebhook(webhook) }));
}

/** Record the outcome of an attempt. With `retryAt` the delivery stays pending. */
export async function recordAttempt(
  db: Database,
  id: string,
  result: {
    readonly state: WebhookDelivery['state'];
    readonly at: Date;
    readonly retryAt: Date | null;
    readonly responseStatus: number | null;
    readonly failure: string | null;
  },
): Promise<void> {
  const { state, at, retryAt, responseStatus, failure } = result;
  await db
    .update(webhookDeliveries)
    .set({ state, dueAt: retryAt ?? at, endedAt: state === 'pending' ? null : at, responseStatus, failure })
    .where(and(eq(webhookDeliveries.id, id), eq(webhookDeliveries.state, 'pending')));
}

/** End the waiting deliveries of a webhook that was disabled. */
export async function failPending(tx: Database, webhookId: string, now: Date): Promise<void> {
  await tx
    .update(webhookDeliveries)
    .set({ state: 'failed', endedAt: now, dueAt: now, failure: WEBHOOK_DISABLED })
    .where(and(eq(webhookDeliveries.webhookId, webhookId), eq(webhookDeliveries.state, 'pending')));
}

/** End deliveries that have waited since before `createdBefore`, at most `limit`; the webhooks they belong to. */
export async function failExpired(
  db: Database,
  { createdBefore, now, limit }: { readonly createdBefore: Date; readonly now: Date; readonly limit: number },
): Promise<ReadonlySet<string>> {
  const failed = await db.execute(sql`
    UPDATE webhook_deliveries SET state = 'failed', ended_at = ${now.toISOString()}::timestamptz,
      failure = left('gave up waiting' || coalesce('; last attempt: ' || failure, ''), 500)
    WHERE id = ANY(ARRAY(
      SELECT id FROM webhook_deliveries
      WHERE state = 'pending' AND created_at < ${createdBefore.toISOString()}::timestamptz
      ORDER BY created_at LIMIT ${limit} FOR UPDATE SKIP LOCKED))
    RETURNING webhook_id AS "webhookId"`);
  return new Set(returnedRows(failed, z.object({ webhookId: z.string() })).map(({ webhookId }) => webhookId));
}

/** Delete the oldest ended deliveries of a webhook, except the last `keep` deliveries. */
export async function pruneDeliveries(db: Database, webhookId: string, keep: number): Promise<void> {
  await db.execute(sql`
    DELETE FROM webhook_deliveries WHERE webhook_id = ${webhookId} AND state <> 'pending' AND created_at < (
      SELECT created_at FROM webhook_deliveries WHERE webhook_id = ${webhookId}
      ORDER BY created_at DESC OFFSET ${keep - 1} LIMIT 1)`);
}

/** The number of waiting deliveries of all webhooks. */
export async function countWaiting(db: Database): Promise<number> {
  return await db.$count(webhookDeliveries, eq(webhookDeliveries.state, 'pending'));
}

function toDelivery(row: typeof webhookDeliveries.$inferSelect): WebhookDelivery {
  const state = row.state === 'delivered' || row.state === 'failed' ? row.state : 'pending';
  return { ...row, state, event: webhookDeliveryEventSchema.parse(row.event) };
}
