/** The available plans, and changes of the plan. */
import type { Endpoint } from '../connection.ts';
import { exchange, send } from '../exchange.ts';
import { arrayAt, dateAt, nullable, numberAt, objectAt, oneOf, orNull, record, stringAt } from '../fields.ts';
import type { JsonObject } from '../json.ts';
import type { CallOptions, ConfirmedOptions } from '../options.ts';

/** Null is no limit. */
export interface Plan {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly requestsPerMinute: number | null;
  /** Accepted runs that have not ended, including waiting ones. */
  readonly concurrentRuns: number | null;
  /** Computed tokens; days and months are UTC. */
  readonly tokensPerDay: number | null;
  readonly tokensPerMonth: number | null;
  /** Of files, inputs and results, over all projects of the account. */
  readonly storedBytes: number | null;
  /** Number of files, data and runs, over all projects of the account. */
  readonly storedItems: number | null;
  readonly pipelineTags: number | null;
  /** Longest time of computation of one generation, in seconds. */
  readonly maxGenerationSeconds: number | null;
  /** Longest time from the start of a run, or of a request with all its prompts, to its end, in seconds. */
  readonly maxRunSeconds: number | null;
  /** Runs of higher priority are executed first. */
  readonly priority: number;
  /** Maximum number of tokens of prompt and output together. */
  readonly maxContext: number | null;
  /** Names of models; `*` matches any text. */
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
  /** Plans that can be requested, and the caller's own. */
  readonly plans: readonly Plan[];
  /** Id of the plan that the project is on. */
  readonly current: string;
  /** Pending plan changes: the caller's own, or those of all users for owners. */
  readonly requests: readonly { readonly userId: string; readonly planId: string; readonly requestedAt: Date }[];
}

/** A plan change: done, waiting for an owner or the payment provider, or to be paid for at `checkoutUrl`. */
export interface PlanChange {
  readonly status: 'changed' | 'requested' | 'checkout';
  readonly userId: string;
  readonly planId: string;
  readonly checkoutUrl: string | null;
}

export interface Plans {
  list(options?: CallOptions): Promise<PlanList>;
  /** Needs the scope `admin`. Only owners of the server may pass `userId`. Never retried. */
  change(planId: string, options?: ConfirmedOptions & { readonly userId?: string }): Promise<PlanChange>;
  /** Read the file of plans again. For owners of the server. */
  reload(options?: CallOptions): Promise<PlanList>;
}

const parseChange = record<PlanChange>({
  status: oneOf('changed', 'requested', 'checkout'),
  userId: stringAt,
  planId: stringAt,
  checkoutUrl: nullable(stringAt),
});

export function createPlans(endpoint: Endpoint): Plans {
  return {
    async list({ signal } = {}) {
      return parsePlanList(await exchange(endpoint, { method: 'GET', path: '/v2/plans', signal }));
    },
    async change(planId, { userId, ...options } = {}) {
      const body = { plan_id: planId, user_id: userId };
      return await send(endpoint, { path: '/v2/plan', body }, parseChange, options);
    },
    reload: async (options) => await send(endpoint, { path: '/v2/plans/reload' }, parsePlanList, options),
  };
}

function parsePlanList(reply: unknown): PlanList {
  const raw = objectAt(reply, 'a list of plans');
  return {
    currency: stringAt(raw.currency, 'currency'),
    plans: arrayAt(raw.plans, 'plans').map(parsePlan),
    current: stringAt(raw.current, 'current'),
    requests: arrayAt(raw.requests, 'requests').map((value) => {
      const request = objectAt(value, 'requests');
      return {
        userId: stringAt(request.user_id, 'user_id'),
        planId: stringAt(request.plan_id, 'plan_id'),
        requestedAt: dateAt(request.requested_at, 'requested_at'),
      };
    }),
  };
}

function parsePlan(value: unknown): Plan {
  const raw = objectAt(value, 'a plan');
  const prices = objectAt(raw.prices, 'prices');
  return {
    id: stringAt(raw.id, 'id'),
    name: stringAt(raw.name, 'name'),
    description: stringAt(raw.description, 'description'),
    requestsPerMinute: limitAt(raw, 'requests_per_minute'),
    concurrentRuns: limitAt(raw, 'concurrent_runs'),
    tokensPerDay: limitAt(raw, 'tokens_per_day'),
    tokensPerMonth: limitAt(raw, 'tokens_per_month'),
    storedBytes: limitAt(raw, 'stored_bytes'),
    storedItems: limitAt(raw, 'stored_items'),
    pipelineTags: limitAt(raw, 'pipeline_tags'),
    priority: numberAt(raw.priority, 'priority'),
    maxGenerationSeconds: limitAt(raw, 'max_generation_seconds'),
    maxRunSeconds: limitAt(raw, 'max_run_seconds'),
    maxContext: limitAt(raw, 'max_context'),
    models: arrayAt(raw.models, 'models').map((model) => stringAt(model, 'models')),
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
