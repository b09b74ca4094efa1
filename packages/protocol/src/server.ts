import { z } from 'zod';
import { timestampSchema } from './timestamp.ts';

/** What a served model is doing. Where the server has one model, it is `loaded` always. */
const modelStateSchema = z.enum(['loaded', 'loading', 'unloaded', 'closing', 'evicted', 'failed']);

/** A served model, as a page needs it that offers a choice. */
export const servedModelSchema = z.object({
  /** For the field `model` of requests. */
  name: z.string(),
  /** Of its pipeline. */
  pipeline_id: z.string(),
  /** Maximum number of tokens of prompt and output together. */
  context: z.int(),
  state: modelStateSchema,
  /** The share of the weights that is loaded, from 0 to 1; null unless it is loading. */
  progress: z.number().nullable(),
});
export type ServedModelGet = z.infer<typeof servedModelSchema>;

/** What a server returns without authentication, so that a page can offer only what works here. */
export const serverGetSchema = z.object({
  name: z.string(),
  version: z.string(),
  model: z.string(),
  /** Maximum number of tokens of prompt and output together. */
  context: z.int(),
  /** Every served model, first the one that requests without a name get. */
  models: z.array(servedModelSchema),
  /** Who may register: anyone, those whom a project invited, or no one. */
  registration: z.enum(['open', 'invited', 'closed']),
  /** Whether an account must verify its address before it can do anything else. */
  verify_required: z.boolean(),
  /** Whether the server sends mail; without, the operator finds links in the server's log. */
  mail: z.boolean(),
  /** Names of the providers for social sign-in. */
  providers: z.array(z.string()),
  /** Whether the owner's account waits for its password, which the link printed at the first start sets. */
  set_up_needed: z.boolean(),
  /** Whether new runs are refused for a time, and the sentence of the operator. */
  maintenance: z.object({ message: z.string(), since: timestampSchema }).nullable(),
});
export type ServerGet = z.infer<typeof serverGetSchema>;
