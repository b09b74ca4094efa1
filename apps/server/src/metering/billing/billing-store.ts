import { and, asc, eq, sql } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { billingEvents, planRequests, subscriptions } from './billing-tables.ts';
import type { Subscription } from './subscription.ts';

/** A plan change request that waits for an owner of the server. */
export interface PendingPlanRequest {
  readonly userId: string;
  readonly planId: string;
  readonly requestedAt: Date;
}

/** Store a plan change request in place of an earlier one of the user. */
export async function savePlanRequest(db: Database, request: PendingPlanRequest): Promise<void> {
  const { planId, requestedAt } = request;
  await db
    .insert(planRequests)
    .values(request)
    .onConflictDoUpdate({ target: planRequests.userId, set: { planId, requestedAt } });
}

export async function deletePlanRequest(db: Database, userId: string): Promise<void> {
  await db.delete(planRequests).where(eq(planRequests.userId, userId));
}

/** Pending requests in the order they were made: of one user, or of all users when `userId` is null. */
export async function countPlanRequests(db: Database): Promise<number> {
  return await db.$count(planRequests);
}

export async function listPlanRequests(db: Database, userId: string | null): Promise<readonly PendingPlanRequest[]> {
  return await db
    .select()
    .from(planRequests)
    .where(userId === null ? undefined : eq(planRequests.userId, userId))
    .orderBy(asc(planRequests.requestedAt), asc(planRequests.userId))
    .limit(1000);
}

/** The newest active subscription of a user. */
export async function findActiveSubscription(
  db: Database,
  provider: string,
  userId: string,
): Promise<Subscription | null> {
  const rows = await db
    .select()
    .from(subscriptions)
    .where(
      and(eq(subscriptions.provider, provider), eq(subscriptions.userId, userId), eq(subscriptions.status, 'active')),
    )
    .orderBy(sql`${subscriptions.eventAt} DESC, ${subscriptions.subscriptionId}`)
    .limit(1);
  return rows[0] ?? null;
}

/** Whether any payment provider charges a user. */
export async function hasActiveSubscription(db: Database, userId: string): Promise<boolean> {
  const rows = await db
    .select({ id: subscriptions.subscriptionId })
    .from(subscriptions)
    .where(and(eq(subscriptions.userId, userId), eq(subscriptions.status, 'active')))
    .limit(1);
  return rows.length > 0;
}

export type SubscriptionRow = typeof subscriptions.$inferInsert;

/** Store a reported state of a subscription. Returns false when a newer state, or its end, is already stored. */
export async function saveSubscription(tx: Database, row: SubscriptionRow): Promise<boolean> {
  const { planId, status, eventAt } = row;
  const rows = await tx
    .insert(subscriptions)
    .values(row)
    .onConflictDoUpdate({
      target: [subscriptions.provider, subscriptions.subscriptionId],
      set: { planId, status, eventAt },
      // An ended subscription stays ended, in whatever order the events arrive.
      setWhere: sql`${subscriptions.status} = 'active'
        AND (excluded.status = 'ended' OR ${subscriptions.eventAt} <= excluded.event_at)`,
    })
    .returning({ id: subscriptions.subscriptionId });
  return rows.length > 0;
}

/** Record an event. Returns false when it was recorded before. */
export async function recordEvent(
  tx: Database,
  event: { readonly provider: string; readonly eventId: string; readonly type: string; readonly receivedAt: Date },
): Promise<boolean> {
  const rows = await tx
    .insert(billingEvents)
    .values(event)
    .onConflictDoNothing()
    .returning({ id: billingEvents.eventId });
  return rows.length > 0;
}
