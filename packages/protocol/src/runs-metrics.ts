import { z } from 'zod';
import { timestampSchema } from './timestamp.ts';

/** Runs created from `start` until before `end`. Runtimes are compute milliseconds of complete runs. */
export const runMetricsBucketSchema = z.object({
  start: timestampSchema,
  end: timestampSchema,
  run_count: z.number(),
  /** Complete runs among the ended ones, 0 … 1; null when none has ended. */
  success_rate: z.number().nullable(),
  average_runtime: z.number().nullable(),
  total_runtime: z.number(),
});
export type RunMetricsBucket = z.infer<typeof runMetricsBucketSchema>;

/** Reply to `GET /v2/metrics/runs`. */
export const runMetricsGetSchema = z.object({
  start: timestampSchema,
  end: timestampSchema,
  bucket_count: z.number(),
  metrics_buckets: z.array(runMetricsBucketSchema),
  overall_bucket: runMetricsBucketSchema,
  /** The period of the same length before `start`. */
  preceding_bucket: runMetricsBucketSchema,
});
export type RunMetricsGet = z.infer<typeof runMetricsGetSchema>;

/** Reply to `GET /v2/metrics/pipelines`: one for each pipeline that was run. */
export const pipelineMetricsGetSchema = z.array(
  runMetricsBucketSchema.extend({ pipeline_id: z.string(), pipeline_name: z.string() }),
);
export type PipelineMetricsGet = z.infer<typeof pipelineMetricsGetSchema>;

/** Reply to `GET /v2/metrics/compute`. Rates are relative changes to the preceding period of the same length: 0.5 is an increase by half. */
export const totalComputeGetSchema = z.object({
  run_count: z.number(),
  failed_run_count: z.number(),
  succeeded_run_count: z.number(),
  total_compute_ms: z.number(),
  run_count_rate: z.number().nullable(),
  failed_run_count_rate: z.number().nullable(),
  succeeded_run_count_rate: z.number().nullable(),
  total_compute_ms_rate: z.number().nullable(),
});
export type TotalComputeGet = z.infer<typeof totalComputeGetSchema>;

/** Reply to `GET /v2/metrics/hardware`: one for each kind of resource. `total_percentage` is of compute time. */
export const hardwareMetricsGetSchema = z.array(
  z.object({
    resource_type: z.string(),
    total_percentage: z.number(),
    run_count: z.number(),
    average_runtime: z.number().nullable(),
  }),
);
export type HardwareMetricsGet = z.infer<typeof hardwareMetricsGetSchema>;
