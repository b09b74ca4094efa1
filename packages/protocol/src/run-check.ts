import { z } from 'zod';
import { moneySchema } from './money.ts';

const DECODING_MODES = [
  'greedy',
  'sample',
  'beam',
  'beam-sample',
  'group',
  'constrained',
  'contrastive',
  'dola',
  'score',
] as const;

/** Reply of `POST /v2/runs/check`. Counts, mode and cost are null where the input itself is refused. */
export const runCheckSchema = z.object({
  prompt_tokens: z.int().nullable(),
  /** Over all returned sequences. */
  max_generated_tokens: z.int().nullable(),
  /** Longest sequence, prompt included. */
  context_tokens: z.int().nullable(),
  mode: z.enum(DECODING_MODES).nullable(),
  /** The warnings that the run would have from the start. */
  warnings: z.array(z.string()),
  /** The most that the run can cost: what is reserved for it. */
  cost_at_most: moneySchema
    .extend({
      computed_tokens: z.int(),
      /** Price of the time of computing, which is not known before: `amount` is that of the tokens. */
      per_compute_hour: z.number(),
    })
    .nullable(),
  /** The error that the run would get now, as `detail` of its reply; null: it would be accepted. */
  refusal: z
    .looseObject({
      code: z.string(),
      status: z.int(),
      message: z.string(),
      remedy: z.string().optional(),
      retry_after_seconds: z.number().optional(),
    })
    .nullable(),
});
export type RunCheck = z.infer<typeof runCheckSchema>;
