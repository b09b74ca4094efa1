import type { PlanGet } from '@gptj-cloud/protocol';
import { z } from 'zod';

/** The plan of the first owner of a server. A plan file without it gets the built-in one. */
export const OWNER_PLAN_ID = 'owner';

/** Money per unit, in the currency of the plan file. */
export interface PlanPrices {
  readonly monthly: number;
  readonly perThousandPromptTokens: number;
  readonly perThousandGeneratedTokens: number;
  readonly perComputeHour: number;
}

/** Limits and prices of an account. Null means no limit. */
export interface Plan {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Whether users see it and may request it. */
  readonly offered: boolean;
  readonly requestsPerMinute: number | null;
  /** Accepted runs that have not ended. */
  readonly concurrentRuns: number | null;
  /** Computed tokens; days and months are UTC. */
  readonly tokensPerDay: number | null;
  readonly tokensPerMonth: number | null;
  /** Of files, inputs and results, over all projects of the account. */
  readonly storedBytes: number | null;
  /** Number of files, data and runs, over all projects of the account. A run with its input and result is four. */
  readonly storedItems: number | null;
  readonly pipelineTags: number | null;
  /** Longest time of computation of one generation. */
  readonly maxGenerationSeconds: number | null;
  /** Longest time from the start of a run, or of a request with all its prompts, to its end. */
  readonly maxRunSeconds: number | null;
  readonly priority: number;
  /** Maximum sequence length in tokens. */
  readonly maxContext: number | null;
  /** Model names; `*` matches any characters. */
  readonly models: readonly string[];
  readonly prices: PlanPrices;
  /** Stripe's id of the price to subscribe to; null: not sold through Stripe. */
  readonly stripePriceId: string | null;
}

export interface PlanFile {
  readonly currency: string;
  /** Plan of accounts whose own plan is not in the file, or whose subscription ended. */
  readonly defaultPlan: string;
  readonly plans: readonly Plan[];
}

const MAX_TOKENS = 1e15;
/** Limits that a plan file of an earlier version does not state. */
const STORED_BYTES = 5 * 2 ** 30;
const STORED_ITEMS = 1_000_000;
const PIPELINE_TAGS = 100;
const MAX_SECONDS = 30 * 86_400;
/** Of plans whose file states none. */
const GENERATION_SECONDS = 3_600;
const RUN_SECONDS = 7_200;
const price = z.number().min(0).max(1e9);
const limit = (min: number, max: number) => z.number().int().min(min).max(max).nullable();

const planSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and dashes'),
  name: z.string().min(1).max(100),
  description: z.string().max(500).default(''),
  offered: z.boolean().default(true),
  requests_per_minute: limit(1, 100_000),
  concurrent_runs: limit(1, 100_000),
  tokens_per_day: limit(0, MAX_TOKENS),
  tokens_per_month: limit(0, MAX_TOKENS),
  stored_bytes: limit(0, MAX_TOKENS).default(STORED_BYTES),
  stored_items: limit(0, MAX_TOKENS).default(STORED_ITEMS),
  pipeline_tags: limit(0, 1_000_000).default(PIPELINE_TAGS),
  max_generation_seconds: limit(1, MAX_SECONDS).default(GENERATION_SECONDS),
  max_run_seconds: limit(1, MAX_SECONDS).default(RUN_SECONDS),
  priority: z.number().int().min(-1000).max(1000).default(0),
  max_context: limit(1, 1_000_000),
  models: z.array(z.string().min(1).max(200)).min(1).max(100),
  prices: z.strictObject({
    monthly: price,
    per_1000_prompt_tokens: price,
    per_1000_generated_tokens: price,
    per_compute_hour: price,
  }),
  stripe_price_id: z.string().min(1).max(200).nullable().default(null),
});

/** Parser of plan files. */
export const planFileSchema = z
  .strictObject({
    currency: z.string().regex(/^[A-Z]{3}$/, 'expected three capital letters, like USD'),
    default_plan: z.string(),
    plans: z.array(planSchema).min(1).max(100),
  })
  .superRefine(({ default_plan: defaultPlan, plans }, context) => {
    const ids = plans.map(({ id }) => id);
    ids.forEach((id, index) => {
      if (ids.indexOf(id) === index) return;
      context.addIssue({
        code: 'custom',
        path: ['plans', index, 'id'],
        message: `expected unique ids, got ${id} twice`,
      });
    });
    if (!ids.includes(defaultPlan)) {
      const message = `expected the id of a plan in this file (${ids.join(', ')}), got ${JSON.stringify(defaultPlan)}`;
      context.addIssue({ code: 'custom', path: ['default_plan'], message });
    }
  })
  .transform(
    (file): PlanFile => ({
      currency: file.currency,
      defaultPlan: file.default_plan,
      plans: file.plans.map((plan) => ({
        id: plan.id,
        name: plan.name,
        description: plan.description,
        offered: plan.offered,
        requestsPerMinute: plan.requests_per_minute,
        concurrentRuns: plan.concurrent_runs,
        tokensPerDay: plan.tokens_per_day,
        tokensPerMonth: plan.tokens_per_month,
        storedBytes: plan.stored_bytes,
        storedItems: plan.stored_items,
        pipelineTags: plan.pipeline_tags,
        priority: plan.priority,
        maxGenerationSeconds: plan.max_generation_seconds,
        maxRunSeconds: plan.max_run_seconds,
        maxContext: plan.max_context,
        models: plan.models,
        prices: {
          monthly: plan.prices.monthly,
          perThousandPromptTokens: plan.prices.per_1000_prompt_tokens,
          perThousandGeneratedTokens: plan.prices.per_1000_generated_tokens,
          perComputeHour: plan.prices.per_compute_hour,
        },
        stripePriceId: plan.stripe_price_id,
      })),
    }),
  );

/** Whether a plan has a limit that must be counted. */
export function isCounted(plan: Plan): boolean {
  const { requestsPerMinute, concurrentRuns, tokensPerDay, tokensPerMonth } = plan;
  return [requestsPerMinute, concurrentRuns, tokensPerDay, tokensPerMonth].some((limit) => limit !== null);
}

/** Whether a plan includes a model, ignoring case. */
export function allowsModel(plan: Plan, model: string): boolean {
  return plan.models.some((pattern) => matches(pattern.toLowerCase().split('*'), model.toLowerCase()));
}

/** The reply for a plan. */
export function toPlanGet(plan: Plan): PlanGet {
  return {
    id: plan.id,
    name: plan.name,
    description: plan.description,
    requests_per_minute: plan.requestsPerMinute,
    concurrent_runs: plan.concurrentRuns,
    tokens_per_day: plan.tokensPerDay,
    tokens_per_month: plan.tokensPerMonth,
    stored_bytes: plan.storedBytes,
    stored_items: plan.storedItems,
    pipeline_tags: plan.pipelineTags,
    priority: plan.priority,
    max_generation_seconds: plan.maxGenerationSeconds,
    max_run_seconds: plan.maxRunSeconds,
    max_context: plan.maxContext,
    models: [...plan.models],
    prices: {
      monthly: plan.prices.monthly,
      per_1000_prompt_tokens: plan.prices.perThousandPromptTokens,
      per_1000_generated_tokens: plan.prices.perThousandGeneratedTokens,
      per_compute_hour: plan.prices.perComputeHour,
    },
  };
}

/** Match a pattern, split at its `*`. It is enough to take the earliest occurrence of each part. */
function matches(parts: readonly string[], text: string): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}
