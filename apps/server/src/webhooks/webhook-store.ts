import { isId, type PageQuery } from '@gptj-cloud/protocol';
import { and, count, eq, gt, inArray, sql } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { findPage, type Page } from '../store/page.ts';
import { parseEvents, type Webhook } from './webhook.ts';
import { webhooks } from './webhook-tables.ts';

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
  page: PageQuery<'created_at'>,
): Promise<Page<Webhook>> {
  const { createdAt: time, id } = webhooks;
  const source = { table: webhooks, time, id, where: eq(webhooks.projectId, projectId) };
  const load = async (ids: readonly string[]) =>
    (
      await db
        .select()
        .from(webhooks)
        .where(inArray(id, [...ids]))
    ).map(toWebhook);
  return await findPage(db, source, page, load, (webhook) => webhook.id);
}

export async function updateWebhook(db: Database, webhook: Webhook): Promise<void> {
  const { id, projectId, createdAt, secret, previousSecret, previousSecretUntil, events, ...columns } = webhook;
  await db
    .update(webhooks)
    .set({ ...columns, events: events.join(' ') })
    .where(isWebhook(projectId, id));
}

/** Store the secrets of a webhook, for the transaction that has locked it. */
export async function updateSecrets(tx: Database, webhook: Webhook): Promise<void> {
  const { id, projectId, secret, previousSecret, previousSecretUntil, updatedAt } = webhook;
  await tx
    .update(webhooks)
    .set({ secret, previousSecret, previousSecretUntil, updatedAt })
    .where(isWebhook(projectId, id));
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

/** Count a failed attempt; how long and how often the webhook has failed now. Null when it was deleted. */
export async function countWebhookFailure(
  tx: Database,
  id: string,
  now: Date,
): Promise<{ readonly failingSince: Date; readonly failedAttempts: number } | null> {
  const rows = await tx
    .update(webhooks)
    .set({
      failedAttempts: sql`${webhooks.failedAttempts} + 1`,
      failingSince: sql`coalesce(${webhooks.failingSince}, ${now.toISOString()}::timestamptz)`,
    })
    .where(eq(webhooks.id, id))
    .returning({ failingSince: webhooks.failingSince, failedAttempts: webhooks.failedAttempts });
  const [row] = rows;
  return row === undefined ? null : { ...row, failingSince: row.failingSince ?? now };
}

/** Record that a message was delivered. */
export async function clearWebhookFailures(tx: Database, id: string): Promise<void> {
  await tx
    .update(webhooks)
    .set({ failedAttempts: 0, failingSince: null })
    .where(and(eq(webhooks.id, id), gt(webhooks.failedAttempts, 0)));
}

/** Disable a webhook for a reason; false when it is disabled already. */
export async function disableWebhook(tx: Database, id: string, now: Date, reason: string): Promise<boolean> {
  const disabled = await tx
    .update(webhooks)
    .set({ isEnabled: false, disabledAt: now, disabledReason: reason, updatedAt: now })
    .where(and(eq(webhooks.id, id), eq(webhooks.isEnabled, true)))
    .returning({ id: webhooks.id });
  return disabled.length > 0;
}

function isWebhook(projectId: string, id: string) {
  return and(eq(webhooks.id, id), eq(webhooks.projectId, projectId));
}

export function toWebhook(row: typeof webhooks.$inferSelect): Webhook {
  const { replays, replaysSince, events, ...webhook } = row;
  return { ...webhook, events: parseEvents(events) };
}
