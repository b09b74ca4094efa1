import { z } from 'zod';
import { servedModelSchema } from './server.ts';
import { timestampSchema } from './timestamp.ts';

/** An interval of the engine's history. Null: the engine did not answer. */
const engineSampleSchema = z.object({
  /** Its end. */
  at: timestampSchema,
  tokens_per_second: z.number(),
  /** Part of the time that the engine computed, from 0 to 1. */
  busy: z.number().nullable(),
  active: z.number().nullable(),
  waiting: z.number().nullable(),
});

/** A served model and its place in memory. */
const hostedModelSchema = servedModelSchema.extend({
  quantisation: z.string(),
  /** When the state began; null where the server has one model. */
  since: timestampSchema.nullable(),
  /** Why it could not be loaded. */
  reason: z.string().nullable(),
  /** Memory that it takes while it is loaded, as planned; null where the server has one model. */
  planned_bytes: z.number().nullable(),
  /** Generations that use it. */
  running: z.number().nullable(),
  /** Generations that wait until it is loaded. */
  waiting: z.number().nullable(),
});

/** Reply to `GET /v2/engine`: the served model and the load of this server's engine. */
export const engineGetSchema = z.object({
  /** Of the pipeline of the model. */
  pipeline_id: z.string(),
  model: z.object({
    name: z.string(),
    /** Architecture. */
    type: z.string(),
    quantisation: z.string(),
    layers: z.number(),
    /** Maximum number of tokens of prompt and output together. */
    context: z.number(),
    vocabulary: z.number(),
    loaded_in_ms: z.number(),
  }),
  state: z.enum(['ready', 'unavailable']),
  since: timestampSchema,
  /** Why the engine is unavailable. */
  reason: z.string().nullable(),
  /** Resident memory of the engine's process. This and the figures below are null while the engine does not answer. */
  memory_bytes: z.number().nullable(),
  /** Positions of the KV cache. */
  cells: z.object({ total: z.number(), used: z.number().nullable() }),
  /** Generations that are computed. */
  active: z.number().nullable(),
  /** Generations that wait for space in the KV cache. */
  waiting: z.number().nullable(),
  oldest_waiting_ms: z.number().nullable(),
  /** Final tokens of all generations, in the latest interval of the history. */
  tokens_per_second: z.number(),
  history: z.object({ interval_seconds: z.number(), samples: z.array(engineSampleSchema) }),
  /** Every served model, first the one that requests without a name get. */
  models: z.array(hostedModelSchema),
});
export type EngineGet = z.infer<typeof engineGetSchema>;
