import { z } from 'zod';
import { timestampSchema } from './timestamp.ts';

/** A limit; null for no limit. */
const limitSchema = z.number().nullable();

/** A plan as every token with the scope read sees it. Prices are in the currency of the list. */
export const planGetSchema = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  requests_per_minute: limitSchema,
  /** Runs that were accepted and have not ended, waiting ones included. */
  concurrent_runs: limitSchema,
  /** Computed tokens; days and months are UTC. */
  tokens_per_day: limitSchema,
  tokens_per_month: limitSchema,
  /** Of files, inputs and results, over all projects of the account. */
  stored_bytes: limitSchema,
  /** Number of files, data and runs, over all projects of the account. */
  stored_items: limitSchema,
  pipeline_tags: limitSchema,
  /** Longest time of computation of one generation, in seconds. */
  max_generation_seconds: limitSchema,
  /** Longest time from the start of a run, or of a request with all its prompts, to its end, in seconds. */
  max_run_seconds: limitSchema,
  /** Runs of higher priority are executed first. */
  priority: z.number(),
  /** Maximum number of tokens of prompt and output together. */
  max_context: limitSchema,
  /** Names of models; `*` stands for any string. */
  models: z.array(z.string()),
  prices: z.object({
    monthly: z.number(),
    per_1000_prompt_tokens: z.number(),
    per_1000_generated_tokens: z.number(),
    per_compute_hour: z.number(),
  }),
});
export type PlanGet = z.infer<typeof planGetSchema>;

/** A user's pending request for another plan, which an owner of the server may approve. */
export const planRequestSchema = z.object({
  user_id: z.string(),
  plan_id: z.string(),
  requested_at: timestampSchema,
});
export type PlanRequest = z.infer<typeof planRequestSchema>;

const usedSchema = z.object({ used: z.number(), limit: limitSchema });
/** Reply to `GET /v2/storage`: what the account of the project stores, over all its projects. */
export const storageGetSchema = z.object({
  plan_id: z.string(),
  /** Of files, inputs and results. */
  bytes: usedSchema,
  /** Number of files, data and runs. */
  items: usedSchema,
});
export type StorageGet = z.infer<typeof storageGetSchema>;

const usedTokensSchema = usedSchema.extend({
  /** The most that runs which have not ended may still use. */
  reserved: z.number(),
  /** End of the day or month, UTC. */
  resets_at: timestampSchema,
});
/** `used` is null where the plan limits nothing, so that nothing is counted. */
const countedSchema = z.object({ used: z.number().nullable(), limit: limitSchema });
/** Reply to `GET /v2/limits`: what the account of the project has used of its plan, over all its projects. */
export const limitsGetSchema = z.object({
  plan_id: z.string(),
  /** Computed tokens of today. */
  day: usedTokensSchema,
  /** Computed tokens of this month. */
  month: usedTokensSchema,
  /** Accepted runs and direct generations that have not ended. */
  running: countedSchema,
  /** Requests that were admitted within the last minute. */
  requests: countedSchema,
  stored_bytes: usedSchema,
  stored_items: usedSchema,
});
export type LimitsGet = z.infer<typeof limitsGetSchema>;

/** Reply to `GET /v2/plans`. */
export const planListSchema = z.object({
  currency: z.string(),
  /** Plans that can be requested, and the caller's own. */
  plans: z.array(planGetSchema),
  /** The plan of the caller's project. */
  current: z.string(),
  /** Requests not approved yet: the caller's own, or those of all users for owners of the server. */
  requests: z.array(planRequestSchema),
});
export type PlanList = z.infer<typeof planListSchema>;

/** Body of `POST /v2/plan`. Only owners of the server may name a user. */
export const planChangeSchema = z.strictObject({
  plan_id: z.string().min(1).max(64),
  /** Id, username or e-mail address; null: the caller. */
  user_id: z.string().min(1).max(254).nullish(),
});
export type PlanChange = z.infer<typeof planChangeSchema>;

/** Reply to `POST /v2/plan`: done, waiting for an owner's approval, or for payment at `checkout_url`. */
export const planChangeResultSchema = z.object({
  status: z.enum(['changed', 'requested', 'checkout']),
  user_id: z.string(),
  plan_id: z.string(),
  checkout_url: z.string().nullable(),
});
export type PlanChangeResult = z.infer<typeof planChangeResultSchema>;
