import { isId, newId, webhookEventSchema } from '@gptj-cloud/protocol';
import { and, asc, count, desc, eq, inArray, lte, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../store/db.ts';
import { returnedRows } from '../store/returned-rows.ts';
import { parseEvents, type RunEndEvent, type Webhook, type WebhookDelivery } from './webhook.ts';
import { webhookDeliveries, webhooks } from './webhook-tables.ts';

export interface Page {
  readonly skip: number;
  readonly limit: number;
  readonly orderBy: { readonly direction: 'asc' | 'desc' };
}

/** For a transaction. False when the project has `limit` webhooks already. */
export async function insertWebhook(tx: Database, webhook: Webhook, limit: number): Promise<boolean> {
  // One at a time for a project: the count must still hold when the row is inserted.
  await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`webhooks ${webhook.projectId}`}, 0))`);
  const rows = await tx.select({ total: count() }).from(webhooks).where(eq(webhooks.projectId, webhook.projectId));
  if ((rows[0]?.total ?? 0) >= limit) return false;
  await tx.insert(webhooks).values({ ...webhook, events: webhook.events.join(' ') });
  return true;
}

export async function findWebhook(db: Database, projectId: string, id: string): Promise<Webhook | null> {
  if (!isId('webhook', id)) return null;
  const rows = await db.select().from(webhooks).where(isWebhook(projectId, id));
  return rows[0] === undefined ? null : toWebhook(rows[0]);
}

/** The same for a transaction that will change it: others wait for its end. */
export async function lockWebhook(tx: Database, projectId: string, id: string): Promise<Webhook | null> {
  if (!isId('webhook', id)) return null;
  const rows = await tx.select().from(webhooks).where(isWebhook(projectId, id)).for('update');
  return rows[0] === undefined ? null : toWebhook(rows[0]);
}

export async function listWebhooks(
  db: Database,
  projectId: string,
  page: Page,
): Promise<{ readonly total: number; readonly webhooks: readonly Webhook[] }> {
  const wanted = eq(webhooks.projectId, projectId);
  const direction = page.orderBy.direction === 'asc' ? asc : desc;
  const rows = await db
    .select()
    .from(webhooks)
    .where(wanted)
    .orderBy(direction(webhooks.createdAt), direction(webhooks.id))
    .limit(page.limit)
    .offset(page.skip);
  const totals = await db.select({ total: count() }).from(webhooks).where(wanted);
  return { total: totals[0]?.total ?? 0, webhooks: rows.map(toWebhook) };
}

export async function updateWebhook(db: Database, webhook: Webhook): Promise<void> {
  const { url, events, isEnabled, updatedAt } = webhook;
  await db
    .update(webhooks)
    .set({ url, events: events.join(' '), isEnabled, updatedAt })
    .where(isWebhook(webhook.projectId, webhook.id));
}

/** Delete a webhook and its deliveries; the deleted webhook. */
export async function deleteWebhook(db: Database, projectId: string, id: string): Promise<Webhook | null> {
  if (!isId('webhook', id)) return null;
  const rows = await db.delete(webhooks).where(isWebhook(projectId, id)).returning();
  return rows[0] === undefined ? null : toWebhook(rows[0]);
}

/** Delete the webhooks of projects with their deliveries. Returns how many webhooks there were. */
export async function deleteWebhooksOf(tx: Database, projectIds: readonly string[]): Promise<number> {
  const rows = await tx
    .delete(webhooks)
    .where(inArray(webhooks.projectId, [...projectIds]))
    .returning({ id: webhooks.id });
  return rows.length;
}

/**
 * Store a delivery of each run end for every enabled webhook of its project that subscribes to the event. For the
 * transaction that ends the runs. Whether any was stored.
 */
export async function enqueueDeliveries(tx: Database, ends: readonly RunEndEvent[]): Promise<boolean> {
  const items = ends.map(({ endedAt, ...event }) => ({ ...event, endedAt: endedAt.toISOString() }));
  const stored = await tx.execute(sql`
    INSERT INTO webhook_deliveries (id, webhook_id, run_id, event, state, created_at, due_at)
    SELECT 'webhook_delivery_' || replace(gen_random_uuid()::text, '-', ''), w.id, e."runId", e.event, 'pending',
      e."endedAt", e."endedAt"
    FROM jsonb_to_recordset(${JSON.stringify(items)}::text::jsonb) AS e (
      "runId" text, "projectId" text, event text, "endedAt" timestamptz)
    JOIN webhooks w ON w.project_id = e."projectId" AND w.is_enabled AND e.event = ANY(string_to_array(w.events, ' '))
    RETURNING id`);
  return returnedRows(stored, z.unknown()).length > 0;
}

/** Store a new delivery of the same event, due at once. */
export async function insertReplay(db: Database, delivery: WebhookDelivery, now: Date): Promise<WebhookDelivery> {
  const { webhookId, runId, event } = delivery;
  const replay = { id: newId('webhook_delivery'), webhookId, runId, event, createdAt: now, dueAt: now };
  await db.insert(webhookDeliveries).values({ ...replay, state: 'pending' });
  return { ...replay, state: 'pending', attempts: 0, endedAt: null, responseStatus: null, failure: null };
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
  webhookId: string,
  page: Page,
): Promise<{ readonly total: number; readonly deliveries: readonly WebhookDelivery[] }> {
  const wanted = eq(webhookDeliveries.webhookId, webhookId);
  const direction = page.orderBy.direction === 'asc' ? asc : desc;
  const rows = await db
    .select()
    .from(webhookDeliveries)
    .where(wanted)
    .orderBy(direction(webhookDeliveries.createdAt), direction(webhookDeliveries.id))
    .limit(page.limit)
    .offset(page.skip);
  const totals = await db.select({ total: count() }).from(webhookDeliveries).where(wanted);
  return { total: totals[0]?.total ?? 0, deliveries: rows.map(toDelivery) };
}

/** Lease due deliveries until `leaseUntil` and count the attempt; other servers skip them meanwhile. */
export async function claimDeliveries(
  db: Database,
  claim: { readonly limit: number; readonly now: Date; readonly leaseUntil: Date },
): Promise<readonly { readonly delivery: WebhookDelivery; readonly webhook: Webhook }[]> {
  const due = db
    .select({ id: webhookDeliveries.id })
    .from(webhookDeliveries)
    .where(and(eq(webhookDeliveries.state, 'pending'), lte(webhookDeliveries.dueAt, claim.now)))
    .orderBy(asc(webhookDeliveries.dueAt))
    .limit(claim.limit)
    .for('update', { skipLocked: true });
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

function isWebhook(projectId: string, id: string) {
  return and(eq(webhooks.id, id), eq(webhooks.projectId, projectId));
}

function toWebhook(row: typeof webhooks.$inferSelect): Webhook {
  return { ...row, events: parseEvents(row.events) };
}

function toDelivery(row: typeof webhookDeliveries.$inferSelect): WebhookDelivery {
  const state = row.state === 'delivered' || row.state === 'failed' ? row.state : 'pending';
  return { ...row, state, event: webhookEventSchema.parse(row.event) };
}
