import { ApiError } from '@gptj-cloud/protocol';
import { allowsModel, type Plan } from '../plans/plan.ts';
import type { PlanBook } from '../plans/plan-book.ts';
import type { GenerationEstimate } from './admission.ts';
import type { ReservationAnswer } from './reservation-store.ts';

/** Runs take seconds: a retry sooner would be refused as well. */
const CONCURRENCY_RETRY_SECONDS = 2;

/** Throw `plan_required` when the plan does not include the served model or the context length. */
export function enforcePlan(
  plan: Plan,
  estimate: GenerationEstimate,
  deps: {
    readonly plans: PlanBook;
    readonly servedModel: string;
    readonly otherModels?: (name: string) => string | undefined;
  },
): void {
  const { plans } = deps;
  const servedModel = deps.otherModels?.(estimate.model) ?? deps.servedModel;
  const context = estimate.contextTokens;
  const refuse = (reason: string, isEnough: (other: Plan) => boolean): ApiError => {
    const others = plans.plans.filter((other) => other.offered && isEnough(other));
    const remedy = remedyFor(others);
    const details = { plan: plan.id, plans: others.map(({ id }) => id) };
    return new ApiError('plan_required', { plan: plan.name, reason, remedy }, { details });
  };
  if (!allowsModel(plan, servedModel)) {
    throw refuse(`the model ${servedModel} is not part of it`, (other) => allowsModel(other, servedModel));
  }
  const fits = (other: Plan): boolean => other.maxContext === null || context <= other.maxContext;
  if (!fits(plan)) {
    throw refuse(
      `prompt and generated text may take ${plan.maxContext} tokens together, and ${context} are requested`,
      (other) => fits(other) && allowsModel(other, servedModel),
    );
  }
}

/** What a user does who needs one of these plans, and who can help. */
function remedyFor(plans: readonly Plan[]): string {
  if (plans.length === 0) return 'ask an owner of this server: none of its plans that users may have allows it';
  const names = plans.map(({ name }) => name).join(' or ');
  if (plans.some(({ stripePriceId }) => stripePriceId !== null)) return `change to the plan ${names}`;
  return `ask an owner of this server for the plan ${names}: POST /v2/plan, or the dashboard's page Plan, requests it; an owner grants it in the dashboard or with gptj plans grant NAME PLAN; PLANS=open removes the limits for every account`;
}

/** The error for a request that a counted limit refuses. */
export function toLimitError(
  plan: Plan,
  requested: number,
  answer: Exclude<ReservationAnswer, { verdict: 'granted' }>,
): ApiError {
  switch (answer.verdict) {
    case 'rate': {
      const limit = plan.requestsPerMinute ?? 0;
      const retryAfterSeconds = Math.max(1, Math.ceil(answer.waitMs / 1000));
      return new ApiError(
        'rate_limited',
        { plan: plan.name, limit },
        { retryAfterSeconds, details: { plan: plan.id, limit, retry_after_ms: Math.ceil(answer.waitMs) } },
      );
    }
    case 'concurrency': {
      const limit = plan.concurrentRuns ?? 0;
      return new ApiError(
        'concurrency_limited',
        { plan: plan.name, limit, running: answer.used },
        { retryAfterSeconds: CONCURRENCY_RETRY_SECONDS, details: { plan: plan.id, limit, running: answer.used } },
      );
    }
    case 'day':
    case 'month': {
      const { verdict: period, used, reserved, nowMs } = answer;
      const limit = (period === 'day' ? plan.tokensPerDay : plan.tokensPerMonth) ?? 0;
      const resetsMs = endOfPeriod(period, new Date(nowMs));
      const resetsAt = new Date(resetsMs).toISOString();
      return new ApiError(
        'quota_exceeded',
        { plan: plan.name, period, limit, used, reserved, requested, resets_at: resetsAt },
        {
          retryAfterSeconds: Math.max(1, Math.ceil((resetsMs - nowMs) / 1000)),
          details: { plan: plan.id, period, limit, used, reserved, requested, resets_at: resetsAt },
        },
      );
    }
    default:
      answer satisfies never;
      throw new TypeError('expected a known verdict of a reservation, got another');
  }
}

/** First moment after the day or month (UTC), in epoch milliseconds. */
export function endOfPeriod(period: 'day' | 'month', now: Date): number {
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
  return period === 'day' ? Date.UTC(year, month, now.getUTCDate() + 1) : Date.UTC(year, month + 1, 1);
}
