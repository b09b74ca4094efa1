import { z } from 'zod';
import { moneySchema } from './money.ts';
import { paginatedSchema } from './paginated.ts';
import { runErrorSchema, runStateSchema, runTimingsSchema, runUsageSchema } from './runs.ts';
import { timestampSchema } from './timestamp.ts';

/**
 * What a list shows of a run: everything but its input, its result and its traceback. The heads are the first 160 letters of
 * the prompt and of the first output; they are null in runs of an earlier version.
 */
export const runSummarySchema = z.object({
  id: z.string(),
  created_at: timestampSchema,
  started_at: timestampSchema.nullable(),
  ended_at: timestampSchema.nullable(),
  run_state: runStateSchema,
  pipeline_id: z.string(),
  prompt_head: z.string().nullable(),
  output_head: z.string().nullable(),
  /** The API token that started it; null: a browser session. */
  token_id: z.string().nullable(),
  /** Null where the token was deleted. */
  token_name: z.string().nullable(),
  error: runErrorSchema.nullable(),
  /** The first 300 letters of its exception. */
  exception: z.string().nullable(),
  usage: runUsageSchema.nullable(),
  timings: runTimingsSchema,
  cost: moneySchema.nullable(),
  seed: z.number().nullable(),
  attempts: z.number(),
  async_run: z.boolean(),
});
export type RunSummary = z.infer<typeof runSummarySchema>;

export const runSummaryPageSchema = paginatedSchema(runSummarySchema);
export type RunSummaryPage = z.infer<typeof runSummaryPageSchema>;

/** Reply to `GET /v2/runs/{id}/input`: what the run was started with. The prompt is a text or its token ids. */
export const runInputGetSchema = z.object({
  prompt: z.union([z.string(), z.array(z.int())]),
  parameters: z.record(z.string(), z.unknown()),
});
export type RunInputGet = z.infer<typeof runInputGetSchema>;

/**
 * Events of `GET /v2/events`. `resync` comes first, and where the server does not know what has changed since: list the runs
 * again. `run` means that a run was accepted, began or ended; of several changes in a short time only the last is reported.
 * `deleted` means that a run is gone: a deletion by another server on the same store is not reported, but shows in the list.
 */
export const projectEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('resync') }),
  z.object({ type: z.literal('run'), run: runSummarySchema }),
  z.object({ type: z.literal('deleted'), id: z.string() }),
]);
export type ProjectEvent = z.infer<typeof projectEventSchema>;
