/** The plans there are, and changing to another one. */
import type { Endpoint } from '../connection.ts';
import { exchange } from '../exchange.ts';
import { dateAt, listAt, numberAt, objectAt, orNull, textAt, wordAt } from '../fields.ts';
import type { JsonObject } from '../json.ts';
import type { CallOptions } from '../options.ts';

/** Null is no limit. */
export interface Plan {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly requestsPerMinute: number | null;
  /** Runs that were accepted and have not ended, waiting ones included. */
  readonly concurrentRuns: number | null;
  /** Prompt and generated tokens together; days and months are UTC. */
  readonly tokensPerDay: number | null;
  readonly tokensPerMonth: number | null;
  /** Larger goes first. */
  readonly priority: number;
  /** Longest sequence in tokens, prompt included. */
  readonly maxContext: number | null;
  /** Names of models; `*` stands for any text. */
  readonly models: readonly string[];
  /** In the currency of the list. */
  readonly prices: {
    readonly monthly: number;
    readonly per1000PromptTokens: number;
    readonly per1000GeneratedTokens: number;
    readonly perComputeHour: number;
  };
}

export interface PlanList {
  readonly currency: string;
  /** Plans that can be asked for, and the caller's own. */
  readonly plans: readonly Plan[];
  /** Id of the plan that the project is on. */
  readonly current: string;
  /** Wishes not granted yet: the caller's own, or everybody's for owners. */
  readonly requests: readonly { readonly userId: string; readonly planId: string; readonly requestedAt: Date }[];
}

/** Done, to be approved by an owner or reported by the payment provider, or to be paid for at `checkoutUrl`. */
export interface PlanChange {
  readonly status: 'changed' | 'requested' | 'checkout';
  readonly userId: string;
  readonly planId: string;
  readonly checkoutUrl: string | null;
}

export interface Plans {
  list(options?: CallOptions): Promise<PlanList>;
  /** Needs the scope `admin`. Only owners of the server may name a user. Not repeated by itself. */
  change(planId: string, options?: CallOptions & { readonly userId?: string }): Promise<PlanChange>;
}

const STATUSES: Readonly<Record<PlanChange['status'], true>> = { changed: true, requested: true, checkout: true };

export function createPlans(endpoint: Endpoint): Plans {
  return {
    async list({ signal } = {}) {
      return parsePlanList(await exchange(endpoint, { method: 'GET', path: '/v2/plans', signal }));
    },
    async change(planId, { userId, signal } = {}) {
      const body = { plan_id: planId, user_id: userId };
      const raw = objectAt(
        await exchange(endpoint, { method: 'POST', path: '/v2/plan', body, signal }),
        'a plan change',
      );
      return {
        status: wordAt(STATUSES, raw.status, 'status'),
        userId: textAt(raw.user_id, 'user_id'),
        planId: textAt(raw.plan_id, 'plan_id'),
        checkoutUrl: orNull(raw.checkout_url, (value) => textAt(value, 'checkout_url')),
      };
    },
  };
}

function parsePlanList(reply: unknown): PlanList {
  const raw = objectAt(reply, 'a list of plans');
  return {
    currency: textAt(raw.currency, 'currency'),
    plans: listAt(raw.plans, 'plans').map(parsePlan),
    current: textAt(raw.current, 'current'),
    requests: listAt(raw.requests, 'requests').map((value) => {
      const wish = objectAt(value, 'requests');
      return {
        userId: textAt(wish.user_id, 'user_id'),
        planId: textAt(wish.plan_id, 'plan_id'),
        requestedAt: dateAt(wish.requested_at, 'requested_at'),
      };
    }),
  };
}

function parsePlan(value: unknown): Plan {
  const raw = objectAt(value, 'a plan');
  const prices = objectAt(raw.prices, 'prices');
  return {
    id: textAt(raw.id, 'id'),
    name: textAt(raw.name, 'name'),
    description: textAt(raw.description, 'description'),
    requestsPerMinute: limitAt(raw, 'requests_per_minute'),
    concurrentRuns: limitAt(raw, 'concurrent_runs'),
    tokensPerDay: limitAt(raw, 'tokens_per_day'),
    tokensPerMonth: limitAt(raw, 'tokens_per_month'),
    priority: numberAt(raw.priority, 'priority'),
    maxContext: limitAt(raw, 'max_context'),
    models: listAt(raw.models, 'models').map((model) => textAt(model, 'models')),
    prices: {
      monthly: numberAt(prices.monthly, 'prices.monthly'),
      per1000PromptTokens: numberAt(prices.per_1000_prompt_tokens, 'prices.per_1000_prompt_tokens'),
      per1000GeneratedTokens: numberAt(prices.per_1000_generated_tokens, 'prices.per_1000_generated_tokens'),
      perComputeHour: numberAt(prices.per_compute_hour, 'prices.per_compute_hour'),
    },
  };
}

function limitAt(plan: JsonObject, field: string): number | null {
  return orNull(plan[field], (value) => numberAt(value, field));
}
