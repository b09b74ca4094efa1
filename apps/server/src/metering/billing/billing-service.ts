/**
 * How an account comes to a plan. An owner of the server sets one; or a user asks, and the payment provider decides:
 * the manual one leaves it to an owner, another takes the money and reports by webhooks.
 *
 * A webhook is applied once, by the id of its event, in one transaction with the change of plan. Events may come late
 * or out of order: what is older than what is known of a subscription changes nothing. When a subscription ends, its
 * user falls back to another one that runs, else to the default plan; but whoever has been given a different plan by
 * an owner meanwhile keeps that.
 */
import { ApiError, type PlanChange, type PlanChangeResult, type PlanList, toTimestamp } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import { ConfigError } from '../../config-error.ts';
import { isServerOwner, type Principal } from '../../identity/principal.ts';
import type { Database } from '../../store/db.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type Plan, toPlanGet } from '../plans/plan.ts';
import type { PlanBook } from '../plans/plan-book.ts';
import {
  deletePlanRequest,
  findActiveSubscription,
  findPayer,
  listPlanRequests,
  lockPayer,
  type Payer,
  savePlanRequest,
  saveSubscription,
  takeEvent,
} from './billing-store.ts';
import type { PaymentEvent, PaymentProvider, SubscriptionReport } from './payment-provider.ts';

export interface BillingServiceDeps {
  readonly db: Database;
  readonly plans: PlanBook;
  readonly provider: PaymentProvider;
  /** Put a user on a plan. */
  readonly setPlan: (tx: Database, userId: string, planId: string, now: Date) => Promise<void>;
  readonly clock: () => Date;
  readonly logger: Logger;
}

export interface BillingService {
  list(principal: Principal): Promise<PlanList>;
  /**
   * Change the plan of the caller, or for owners of the server of any user. Throws `plan_unknown`, `owner_required`,
   * `not_found`, `payment_failed`.
   */
  change(principal: Principal, change: PlanChange, caller: Caller): Promise<PlanChangeResult>;
  /** Read the file of plans again. Throws `owner_required`, `invalid_request` for a file that cannot be used. */
  reload(principal: Principal): Promise<PlanList>;
  /** Apply a webhook. Throws `webhook_refused`: the provider will send it again. */
  handleEvent(payload: string, signature: string, caller: Caller): Promise<void>;
}

export function createBillingService(deps: BillingServiceDeps): BillingService {
  const { db, plans, provider } = deps;
  const list = async (principal: Principal): Promise<PlanList> => {
    const isOwner = isServerOwner(principal);
    const current = plans.planOf(principal);
    const shown = plans.plans.filter((plan) => plan.offered || isOwner || plan.id === current.id);
    const requests = await listPlanRequests(db, isOwner ? null : principal.userId);
    return {
      currency: plans.currency,
      plans: shown.map(toPlanGet),
      current: current.id,
      requests: requests.map(({ userId, planId, requestedAt }) => ({
        user_id: userId,
        plan_id: planId,
        requested_at: toTimestamp(requestedAt),
      })),
    };
  };
  return {
    list,
    async change(principal, change, caller) {
      const userId = change.user_id ?? principal.userId;
      const isOwner = isServerOwner(principal);
      if (userId !== principal.userId && !isOwner) {
        throw new ApiError('owner_required', { action: "change another user's plan" });
      }
      const plan = plans.find(change.plan_id);
      if (plan === null || !(plan.offered || isOwner)) {
        const known = plans.plans.filter(({ offered }) => offered || isOwner).map(({ id }) => id);
        throw new ApiError('plan_unknown', { id: change.plan_id, known: known.join(', ') });
      }
      const reply = { user_id: userId, plan_id: plan.id, checkout_url: null };
      if (isOwner) {
        await db.transaction(async (tx) => {
          if ((await lockPayer(tx, userId)) === null) throw new ApiError('not_found', { kind: 'user', id: userId });
          await setPlan(deps, tx, userId, plan.id, caller);
        });
        return { status: 'changed', ...reply };
      }
      return { ...reply, ...(await wish(deps, userId, plan)) };
    },
    async reload(principal) {
      if (!isServerOwner(principal)) throw new ApiError('owner_required', { action: 'read the plans again' });
      try {
        await plans.reload();
      } catch (error) {
        if (error instanceof ConfigError)
          throw new ApiError('plans_refused', { reason: error.message }, { cause: error });
        throw error;
      }
      return await list(principal);
    },
    async handleEvent(payload, signature, caller) {
      const event = await provider.readEvent(payload, signature);
      await db.transaction(async (tx) => {
        const receivedAt = deps.clock();
        const isNew = await takeEvent(tx, { provider: provider.name, eventId: event.id, type: event.type, receivedAt });
        if (isNew && event.report !== null) await apply(deps, tx, event, event.report, caller);
      });
    },
  };
}

/** Somebody who is no owner wants a plan. */
async function wish(
  { db, provider, clock }: BillingServiceDeps,
  userId: string,
  plan: Plan,
): Promise<Pick<PlanChangeResult, 'status'> & { readonly checkout_url: string | null }> {
  const payer = await findPayer(db, userId);
  if (payer === null) throw new ApiError('not_found', { kind: 'user', id: userId });
  const subscription = await findActiveSubscription(db, provider.name, userId);
  // A subscription that was to end goes on when its plan is asked for again: that is for the provider to know.
  if (payer.planId === plan.id && subscription === null) {
    await deletePlanRequest(db, userId);
    return { status: 'changed', checkout_url: null };
  }
  const outcome = await provider.wish({ userId, email: payer.email, plan, subscription });
  switch (outcome.kind) {
    case 'approval':
      await savePlanRequest(db, { userId, planId: plan.id, requestedAt: clock() });
      return { status: 'requested', checkout_url: null };
    case 'checkout':
      return { status: 'checkout', checkout_url: outcome.url };
    case 'reported_later':
      return { status: 'requested', checkout_url: null };
    default:
      outcome satisfies never;
      throw new TypeError('every outcome of a wish has its reply');
  }
}

/** Take over what a provider reports. */
async function apply(
  deps: BillingServiceDeps,
  tx: Database,
  event: PaymentEvent,
  report: SubscriptionReport,
  caller: Caller,
): Promise<void> {
  const { plans, provider, logger } = deps;
  const { userId, subscriptionId, customerId, status } = report;
  const payer = await lockPayer(tx, userId);
  if (payer === null) {
    logger.warn('payment event of a user who is not here', { event_id: event.id, user_id: userId });
    return;
  }
  const plan = provider.paysFor(report.priceId, plans.plans);
  if (plan === null) {
    // Refused, so that it comes again when the operator has put the price into the file of plans.
    throw new ApiError(
      'webhook_refused',
      { reason: `no plan has the price ${report.priceId}` },
      { remedy: 'give it to a plan as stripe_price_id, reload the plans, and have the event sent again' },
    );
  }
  const row = { provider: provider.name, subscriptionId, customerId, userId, planId: plan.id, status };
  if (!(await saveSubscription(tx, { ...row, eventAt: event.at }))) return;
  const next = status === 'active' ? plan.id : await planAfterEnd(deps, tx, userId, plan.id, payer);
  if (next !== payer.planId) await setPlan(deps, tx, userId, next, caller);
}

async function planAfterEnd(
  { plans, provider }: BillingServiceDeps,
  tx: Database,
  userId: string,
  endedPlanId: string,
  payer: Payer,
): Promise<string> {
  if (payer.planId !== endedPlanId) return payer.planId;
  return (await findActiveSubscription(tx, provider.name, userId))?.planId ?? plans.defaultPlan.id;
}

async function setPlan(
  { setPlan: put, clock }: BillingServiceDeps,
  tx: Database,
  userId: string,
  planId: string,
  caller: Caller,
): Promise<void> {
  const now = clock();
  await put(tx, userId, planId, now);
  await deletePlanRequest(tx, userId);
  await recordAudit(tx, now, caller, { action: 'user.plan', subject: userId, details: { plan_id: planId } });
}
