import type { Principal } from '../identity/principal.ts';
import type { Plan } from '../metering/plans/plan.ts';
import type { PlanBook } from '../metering/plans/plan-book.ts';

/** A plan whose only limits are the given ones. */
export function planOf(id: string, limits: Partial<Plan> = {}): Plan {
  return {
    id,
    name: `The ${id} plan`,
    description: '',
    offered: true,
    requestsPerMinute: null,
    concurrentRuns: null,
    tokensPerDay: null,
    tokensPerMonth: null,
    storedBytes: null,
    storedItems: null,
    pipelineTags: null,
    maxGenerationSeconds: null,
    maxRunSeconds: null,
    priority: 0,
    maxContext: null,
    models: ['*'],
    prices: { monthly: 0, perThousandPromptTokens: 0, perThousandGeneratedTokens: 0, perComputeHour: 0 },
    stripePriceId: null,
    ...limits,
  };
}

/** A book of these plans; the first is the default. */
export function bookOf(first: Plan, ...others: readonly Plan[]): PlanBook {
  const plans = [first, ...others];
  const find = (id: string): Plan | null => plans.find((plan) => plan.id === id) ?? null;
  return {
    currency: 'USD',
    defaultPlan: first,
    plans,
    find,
    planOf: ({ planId }) => find(planId) ?? first,
    async reload() {},
  };
}

/** A user with a plan, in a project that is not in the store: the user pays for it. */
export function principalOn(plan: Plan, userId: string): Principal {
  return {
    userId,
    projectId: `project_of_${userId}`,
    apiKeyId: 'token_1',
    role: 'member',
    planId: plan.id,
    scopes: ['run', 'read', 'write'],
  };
}
