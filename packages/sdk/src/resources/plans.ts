/** The available plans, and changes of the plan. */
import type { Endpoint } from '../connection.ts';
import { read, send } from '../exchange.ts';
import { dateAt, listOf, nullable, numberAt, oneOf, record, stringAt } from '../fields.ts';
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

const limit = nullable(numberAt);

const parsePlan = record<Plan>({
  id: stringAt,
  name: stringAt,
  description: stringAt,
  requestsPerMinute: limit,
  concurrentRuns: limit,
  tokensPerDay: limit,
  tokensPerMonth: limit,
  storedBytes: limit,
  storedItems: limit,
  pipelineTags: limit,
  maxGenerationSeconds: limit,
  maxRunSeconds: limit,
  priority: numberAt,
  maxContext: limit,
  models: listOf(stringAt),
  prices: record<Plan['prices']>({
    monthly: numberAt,
    per1000PromptTokens: numberAt,
    per1000GeneratedTokens: numberAt,
    perComputeHour: numberAt,
  }),
});

const parsePlanList = record<PlanList>({
  currency: stringAt,
  plans: listOf(parsePlan),
  current: stringAt,
  requests: listOf(record<PlanList['requests'][number]>({ userId: stringAt, planId: stringAt, requestedAt: dateAt })),
});

const parseChange = record<PlanChange>({
  status: oneOf('changed', 'requested', 'checkout'),
  userId: stringAt,
  planId: stringAt,
  checkoutUrl: nullable(stringAt),
});

export function createPlans(endpoint: Endpoint): Plans {
  return {
    list: async (options) => await read(endpoint, '/v2/plans', parsePlanList, options),
    async change(planId, { userId, ...options } = {}) {
      const body = { plan_id: planId, user_id: userId };
      return await send(endpoint, { path: '/v2/plan', body }, parseChange, options);
    },
    reload: async (options) => await send(endpoint, { path: '/v2/plans/reload' }, parsePlanList, options),
  };
}
