/**
 * Plan changes. An owner of the server sets a user's plan directly. Any other user requests a change from the payment
 * provider: the manual provider leaves it to an owner; other providers collect the payment and report by webhook.
 *
 * A webhook is applied once, by the id of its event, in one transaction with the change of plan. Events may arrive late
 * or out of order: an event older than the stored state of its subscription changes nothing. When a subscription ends,
 * its user gets the plan of another active subscription, else the default plan; a different plan that an owner has set
 * meanwhile stays.
 */
import { ApiError, type PlanChange, type PlanChangeResult, type PlanList, toTimestamp } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../../audit/audit-log.ts';
import { ConfigError } from '../../config-error.ts';
import { isServerOwner, type Principal } from '../../identity/principal.ts';
import type { User } from '../../identity/users/user.ts';
import { findUser, findUserByLogin, lockUser, tryLockUser, updateUser } from '../../identity/users/user-store.ts';
import type { Database } from '../../store/db.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type Plan, toPlanGet } from '../plans/plan.ts';
import type { PlanBook } from '../plans/plan-book.ts';
import {
  countPlanRequests,
  deletePlanRequest,
  findActiveSubscription,
  listPlanRequests,
  recordEvent,
  savePlanRequest,
  saveSubscription,
} from './billing-store.ts';
import type { PaymentEvent, PaymentProvider, SubscriptionReport } from './payment-provider.ts';

export interface BillingServiceDeps {
  readonly db: Database;
  readonly plans: PlanBook;
  readonly provider: PaymentProvider;
  readonly clock: () => Date;
  readonly logger: Logger;
}

export interface BillingService {
  list(principal: Principal): Promise<PlanList>;
  /**
   * Change the plan of the caller; owners of the server may change that of any user. Throws `plan_unknown`, `owner_required`,
   * `not_found`, `payment_failed`.
   */
  change(principal: Principal, change: PlanChange, caller: Caller): Promise<PlanChangeResult>;
  /** The number of requests for a plan that wait for an owner. */
  countRequests(): Promise<number>;
  /** Read the plan file again. Throws `owner_required`, `plans_refused` for a file that cannot be used. */
  reload(principal: Principal): Promise<PlanList>;
  /** Apply a webhook. Throws `webhook_refused`: the provider then sends it again. */
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
      const isOwner = isServerOwner(principal);
      const userId = change.user_id == null ? principal.userId : await userIdOf(db, principal, change.user_id);
      const plan = plans.find(change.plan_id.toLowerCase());
      if (plan === null || !(plan.offered || isOwner)) {
        const known = plans.plans.filter(({ offered }) => offered || isOwner).map(({ id }) => id);
        throw new ApiError('plan_unknown', { id: change.plan_id, known: known.join(', ') });
      }
      const reply = { user_id: userId, plan_id: plan.id, checkout_url: null };
      if (isOwner) {
        await db.transaction(async (tx) => {
          await lockUser(tx, userId);
          await setPlan(deps, tx, userId, plan.id, caller);
        });
        return { status: 'changed', ...reply };
      }
      return { ...reply, ...(await requestPlanChange(deps, userId, plan)) };
    },
    countRequests: () => countPlanRequests(db),
    async reload(principal) {
      if (!isServerOwner(principal)) throw new ApiError('owner_required', { action: 'reload the plans' });
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
        const isNew = await recordEvent(tx, {
          provider: provider.name,
          eventId: event.id,
          type: event.type,
          receivedAt,
        });
        if (isNew && event.report !== null) await applyEvent(deps, tx, event, event.report, caller);
      });
    },
  };
}

/** The id of a user that an owner names by id, username or e-mail address. Others may name only themselves, by id. */
async function userIdOf(db: Database, principal: Principal, named: string): Promise<string> {
  if (named === principal.userId) return named;
  if (!isServerOwner(principal)) throw new ApiError('owner_required', { action: "change another user's plan" });
  const user = (await findUser(db, named)) ?? (await findUserByLogin(db, named));
  if (user === null) throw new ApiError('not_found', { kind: 'user', id: named.slice(0, 100) });
  return user.id;
}

/** Pass the plan change request of a user who is not an owner to the payment provider. */
async function requestPlanChange(
  { db, provider, clock }: BillingServiceDeps,
  userId: string,
  plan: Plan,
): Promise<Pick<PlanChangeResult, 'status'> & { readonly checkout_url: string | null }> {
  const user = await findUser(db, userId);
  if (user === null) throw new ApiError('not_found', { kind: 'user', id: userId });
  const subscription = await findActiveSubscription(db, provider.name, userId);
  // With a subscription, the provider must decide: a request for the present plan revokes a pending cancellation.
  if (user.planId === plan.id && subscription === null) {
    await deletePlanRequest(db, userId);
    return { status: 'changed', checkout_url: null };
  }
  const outcome = await provider.requestPlanChange({ userId, email: user.email, plan, subscription });
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
      throw new TypeError('expected a known outcome of a plan change request, got another');
  }
}

/** Apply a provider's report. */
async function applyEvent(
  deps: BillingServiceDeps,
  tx: Database,
  event: PaymentEvent,
  report: SubscriptionReport,
  caller: Caller,
): Promise<void> {
  const { plans, provider, logger } = deps;
  const { userId, subscriptionId, customerId, status } = report;
  const user = await tryLockUser(tx, userId);
  if (user === null) {
    logger.warn('payment event of an unknown user', { event_id: event.id, user_id: userId });
    return;
  }
  const plan = provider.planForPrice(report.priceId, plans.plans);
  if (plan === null) {
    // The provider sends a refused event again; by then the operator can have added the price to the plan file.
    throw new ApiError(
      'webhook_refused',
      { reason: `no plan has the price ${report.priceId}` },
      { remedy: 'set it as stripe_price_id of a plan, reload the plans, and have the event sent again' },
    );
  }
  const row = { provider: provider.name, subscriptionId, customerId, userId, planId: plan.id, status };
  if (!(await saveSubscription(tx, { ...row, eventAt: event.at }))) return;
  const next = status === 'active' ? plan.id : await planAfterEnd(deps, tx, plan.id, user);
  if (next !== user.planId) await setPlan(deps, tx, userId, next, caller);
}

async function planAfterEnd(
  { plans, provider }: BillingServiceDeps,
  tx: Database,
  endedPlanId: string,
  user: User,
): Promise<string> {
  if (user.planId !== endedPlanId) return user.planId;
  return (await findActiveSubscription(tx, provider.name, user.id))?.planId ?? plans.defaultPlan.id;
}

async function setPlan(
  { clock }: BillingServiceDeps,
  tx: Database,
  userId: string,
  planId: string,
  caller: Caller,
): Promise<void> {
  const now = clock();
  await updateUser(tx, userId, { planId }, now);
  await deletePlanRequest(tx, userId);
  await recordAudit(tx, now, caller, { action: 'user.plan', subject: userId, details: { plan_id: planId } });
}
