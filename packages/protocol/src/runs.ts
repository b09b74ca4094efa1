import { z } from 'zod';
import { dataGetSchema, fileGetSchema } from './files.ts';
import { moneySchema } from './money.ts';
import { paginatedSchema } from './paginated.ts';
import { pipelineGetSchema } from './pipelines.ts';
import { timestampSchema } from './timestamp.ts';

/** Every state that the 2022 clients can parse. They raise an exception for any other value. */
export const RUN_STATES = [
  'received',
  'allocating_cluster',
  'awaiting_resource_allocation',
  'allocating_resource',
  'loading_data',
  'loading_function',
  'loading_pipeline',
  'running',
  'complete',
  'failed',
] as const;
export const runStateSchema = z.enum(RUN_STATES);
export type RunState = z.infer<typeof runStateSchema>;

/** Whether a run in this state is over. */
export function isTerminal(state: RunState): boolean {
  return state === 'complete' || state === 'failed';
}

/**
 * Why a run failed: `pipeline_fault`, the pipeline raised; `max_retries`, the engine failed too often;
 * `unsatisfiable`, the server's resources are too small for it, or it stalled the engine.
 */
export const RUN_ERRORS = ['max_retries', 'pipeline_fault', 'unsatisfiable'] as const;
export const runErrorSchema = z.enum(RUN_ERRORS);
export type RunError = z.infer<typeof runErrorSchema>;

/** Text of a failure. Clients up to 0.3.10 need both strings. */
export const runErrorInfoSchema = z.object({ exception: z.string(), traceback: z.string() });
export type RunErrorInfo = z.infer<typeof runErrorInfoSchema>;

/**
 * Body of `POST /v2/runs`. Python clients send all seven keys, nulls included; curl users two. `blocking` has
 * no effect: the reply always contains the result. Unknown keys are ignored, as in Pipeline Cloud.
 */
export const runCreateSchema = z
  .object({
    pipeline_id: z.string().nullish(),
    function_id: z.string().nullish(),
    data: z.unknown().optional(),
    data_id: z.string().nullish(),
    blocking: z.boolean().nullish(),
    compute_type: z.enum(['cpu', 'gpu']).nullish(),
    compute_requirements: z.object({ min_gpu_vram_mb: z.int32().min(0).nullish() }).nullish(),
    /** Reply immediately with the accepted run; poll for its result. */
    async_run: z.boolean().nullish(),
    /** Reply with server-sent events, see `RunEvent`. */
    stream: z.boolean().nullish(),
  })
  .check((context) => {
    const { pipeline_id, function_id, data, data_id } = context.value;
    const issue = (path: string, message: string): void => {
      context.issues.push({ code: 'custom', path: [path], message, input: context.value });
    };
    if ((pipeline_id ?? null) === null && (function_id ?? null) === null) {
      issue('pipeline_id', 'expected pipeline_id or function_id, got neither');
    }
    if ((pipeline_id ?? null) !== null && (function_id ?? null) !== null) {
      issue('function_id', 'expected only one of pipeline_id and function_id, got both');
    }
    if ((data ?? null) === null && (data_id ?? null) === null) {
      issue('data', 'expected data or data_id, got neither');
    }
    if ((data ?? null) !== null && (data_id ?? null) !== null) {
      issue('data_id', 'expected only one of data and data_id, got both');
    }
  });
export type RunCreate = z.infer<typeof runCreateSchema>;

/** Why a returned sequence ended: an EOS token, the length limit, a stop string or criterion, or `max_time`. */
export const finishReasonSchema = z.enum(['eos', 'length', 'stop', 'time']);

/** Tokens of a run: of the prompt, generated over all returned sequences, and of the prompt found in the cache. */
export const runUsageSchema = z.object({
  prompt_tokens: z.number(),
  generated_tokens: z.number(),
  computed_tokens: z.number(),
  cached_tokens: z.number(),
});
export type RunUsage = z.infer<typeof runUsageSchema>;

/**
 * Milliseconds of the execution that ended: from the acceptance to the first evaluation and to the first token, and from the
 * first evaluation to the end. Each is null before the end, and where it did not come to that.
 */
export const runTimingsSchema = z.object({
  queued_ms: z.number().nullable(),
  first_token_ms: z.number().nullable(),
  compute_ms: z.number().nullable(),
});
export type RunTimings = z.infer<typeof runTimingsSchema>;

/**
 * A run. `result` is a file with the pickle of the list of outputs; `result_preview` is the same list as JSON. Both
 * are null unless the run is complete. A failed run has `error` and `error_info`.
 */
export const runGetSchema = z.object({
  id: z.string(),
  created_at: timestampSchema,
  started_at: timestampSchema.nullish(),
  ended_at: timestampSchema.nullish(),
  run_state: runStateSchema,
  resource_type: z.string().nullish(),
  compute_time_ms: z.number().nullish(),
  runnable: pipelineGetSchema,
  data: dataGetSchema,
  blocking: z.boolean().nullish(),
  compute_requirements: z.object({ min_gpu_vram_mb: z.number().nullish() }).nullish(),
  result: fileGetSchema.nullish(),
  result_preview: z.array(z.unknown()).nullish(),
  /** Present in lists, whose replies leave out previews of more than 16 KiB: get the run by its id. */
  result_preview_omitted: z.literal(true).optional(),
  error: runErrorSchema.nullish(),
  error_info: runErrorInfoSchema.nullish(),
  /** Warnings: a sentence for each parameter without effect, and remarks on the result. */
  warnings: z.array(z.string()).nullish(),
  /** One for each returned sequence of a complete run. */
  finish_reasons: z.array(finishReasonSchema).nullish(),
  usage: runUsageSchema.nullish(),
  /** The seed that reproduces this result; null when no token was sampled. */
  seed: z.number().nullish(),
  timings: runTimingsSchema.optional(),
  /** What it amounts to at the present prices of the plan under which it was accepted; null: nothing was charged. */
  cost: moneySchema.nullish(),
  /** The API token that started it; null: a browser session. */
  token_id: z.string().nullish(),
  /** Executions that have begun. More than 1: the server or the engine ended during one. */
  attempts: z.number().optional(),
});
export type RunGet = z.infer<typeof runGetSchema>;

export const runPageSchema = paginatedSchema(runGetSchema);
export type RunPage = z.infer<typeof runPageSchema>;
