import { z } from 'zod';
import { timestampSchema } from './timestamp.ts';

/** Milliseconds from the acceptance of complete runs, exact to 5 %. Null: no run. */
const percentilesSchema = z.object({
  runs: z.number(),
  p50_ms: z.number().nullable(),
  p95_ms: z.number().nullable(),
  p99_ms: z.number().nullable(),
});
export type LatencyPercentiles = z.infer<typeof percentilesSchema>;

const latenciesSchema = z.object({
  /** Until the first evaluation. */
  queued: percentilesSchema,
  first_token: percentilesSchema,
  total: percentilesSchema,
});
export type Latencies = z.infer<typeof latenciesSchema>;

export const COUNT_BUCKETS = ['hour', 'day'] as const;

/** Reply to `GET /v2/metrics/latency`: the whole hours or days of the span, those without runs left out. */
export const latencyGetSchema = z.object({
  start: timestampSchema,
  end: timestampSchema,
  bucket: z.enum(COUNT_BUCKETS),
  buckets: z.array(latenciesSchema.extend({ start: timestampSchema })),
  overall: latenciesSchema,
});
export type LatencyGet = z.infer<typeof latencyGetSchema>;

/**
 * Reply to `GET /v2/metrics/errors`: failed runs, and requests of every API that were refused before they ran, by the code
 * of their error.
 */
export const errorCountsGetSchema = z.object({
  start: timestampSchema,
  end: timestampSchema,
  bucket: z.enum(COUNT_BUCKETS),
  buckets: z.array(z.object({ start: timestampSchema, code: z.string(), count: z.number() })),
  total: z.array(z.object({ code: z.string(), count: z.number() })),
});
export type ErrorCountsGet = z.infer<typeof errorCountsGetSchema>;
