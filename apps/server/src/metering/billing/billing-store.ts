import { and, asc, eq, sql } from 'drizzle-orm';
import { users } from '../../identity/identity-tables.ts';
import type { Database } from '../../store/db.ts';
import { billingEvents, planRequests, subscriptions } from './billing-tables.ts';
import type { Subscription } from './subscription.ts';

export interface AskedPlan {
  readonly userId: string;
  readonly planId: string;
  readonly requestedAt: Date;
}

/** What billing has to know of a user. */
export interface Payer {
  readonly email: string;
  readonly planId: string;
}

/** A user, locked until the transaction ends; null when there is none. */
export async function lockPayer(tx: Database, userId: string): Promise<Payer | null> {
  const rows = await tx
    .select({ email: users.email, planId: users.planId })
    .from(users)
    .where(eq(users.id, userId))
    .for('update');
  return rows[0] ?? null;
}

export async function findPayer(db: Database, userId: string): Promise<Payer | null> {
  const rows = await db.select({ email: users.email, planId: users.planId }).from(users).where(eq(users.id, userId));
  return rows[0] ?? null;
}

/** Remember a wish; a later one takes its place. */
export async function savePlanRequest(db: Database, request: AskedPlan): Promise<void> {
  const { planId, requestedAt } = request;
  await db
    .insert(planRequests)
    .values(request)
    .onConflictDoUpdate({ target: planRequests.userId, set: { planId, requestedAt } });
}

export async function deletePlanRequest(db: Database, userId: string): Promise<void> {
  await db.delete(planRequests).where(eq(planRequests.userId, userId));
}

/** Wishes in the order they came: of one user, or of all when `userId` is null. */
export async function listPlanRequests(db: Database, userId: string | null): Promise<readonly AskedPlan[]> {
  return await db
    .select()
    .from(planRequests)
    .where(userId === null ? undefined : eq(planRequests.userId, userId))
    .orderBy(asc(planRequests.requestedAt), asc(planRequests.userId))
    .limit(1000);
}

/** The newest running subscription of a user. */
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

/** Write what is known of a subscription now. False: something newer was known, and it stays. Ended is for ever. */
export async function saveSubscription(tx: Database, row: SubscriptionRow): Promise<boolean> {
  const { planId, status, eventAt } = row;
  const rows = await tx
    .insert(subscriptions)
    .values(row)
    .onConflictDoUpdate({
      target: [subscriptions.provider, subscriptions.subscriptionId],
      set: { planId, status, eventAt },
      // Nothing comes after the end, however the events are ordered.
      setWhere: sql`${subscriptions.status} = 'active'
        AND (excluded.status = 'ended' OR ${subscriptions.eventAt} <= excluded.event_at)`,
    })
    .returning({ id: subscriptions.subscriptionId });
  return rows.length > 0;
}

/** Whether an event is new; it is not from then on. */
export async function takeEvent(
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
