/** Metrics of the project's runs. */
import type { Endpoint } from '../connection.ts';
import { read } from '../exchange.ts';
import { dateAt, listOf, nullable, numberAt, record, stringAt } from '../fields.ts';
import { type CallOptions, queryOf } from '../options.ts';

/** Runs created from `start` until before `end`. Runtimes are milliseconds of computing of complete runs. */
export interface MetricsBucket {
  readonly start: Date;
  readonly end: Date;
  readonly runCount: number;
  /** Complete runs among the ended ones, 0 … 1; null when none has ended. */
  readonly successRate: number | null;
  readonly averageRuntime: number | null;
  readonly totalRuntime: number;
}

export interface RunMetrics {
  readonly start: Date;
  readonly end: Date;
  readonly bucketCount: number;
  readonly metricsBuckets: readonly MetricsBucket[];
  readonly overallBucket: MetricsBucket;
  /** The period of the same length before `start`. */
  readonly precedingBucket: MetricsBucket;
}

export interface PipelineMetrics extends MetricsBucket {
  readonly pipelineId: string;
  readonly pipelineName: string;
}

/** Rates are relative changes to the period of the same length before: 0.5 is an increase by half. */
export interface ComputeMetrics {
  readonly runCount: number;
  readonly failedRunCount: number;
  readonly succeededRunCount: number;
  readonly totalComputeMs: number;
  readonly runCountRate: number | null;
  readonly failedRunCountRate: number | null;
  readonly succeededRunCountRate: number | null;
  readonly totalComputeMsRate: number | null;
}

export interface MetricsOptions extends CallOptions {
  /** Default: a day before the end. */
  readonly start?: Date;
  /** Default: now. */
  readonly end?: Date;
  readonly pipelineId?: string;
}

export interface Metrics {
  /** `buckets`: up to 1000, by default 100. */
  runs(options?: MetricsOptions & { readonly buckets?: number }): Promise<RunMetrics>;
  /** One entry for each pipeline that was run. */
  pipelines(options?: MetricsOptions): Promise<readonly PipelineMetrics[]>;
  compute(options?: MetricsOptions): Promise<ComputeMetrics>;
}

const BUCKET = {
  start: dateAt,
  end: dateAt,
  runCount: numberAt,
  successRate: nullable(numberAt),
  averageRuntime: nullable(numberAt),
  totalRuntime: numberAt,
};
const parseBucket = record<MetricsBucket>(BUCKET);

const parseRunMetrics = record<RunMetrics>({
  start: dateAt,
  end: dateAt,
  bucketCount: numberAt,
  metricsBuckets: listOf(parseBucket),
  overallBucket: parseBucket,
  precedingBucket: parseBucket,
});

const parsePipelineMetrics = record<PipelineMetrics>({ ...BUCKET, pipelineId: stringAt, pipelineName: stringAt });

const parseComputeMetrics = record<ComputeMetrics>({
  runCount: numberAt,
  failedRunCount: numberAt,
  succeededRunCount: numberAt,
  totalComputeMs: numberAt,
  runCountRate: nullable(numberAt),
  failedRunCountRate: nullable(numberAt),
  succeededRunCountRate: nullable(numberAt),
  totalComputeMsRate: nullable(numberAt),
});

export function createMetrics(endpoint: Endpoint): Metrics {
  const at = (name: string, { start, end, pipelineId }: MetricsOptions, buckets?: number): string =>
    `/v2/metrics/${name}${queryOf({
      start: start?.toISOString(),
      end: end?.toISOString(),
      pipeline_id: pipelineId,
      bucket_count: buckets?.toString(),
    })}`;
  return {
    runs: async (options = {}) => await read(endpoint, at('runs', options, options.buckets), parseRunMetrics, options),
    pipelines: async (options = {}) => {
      const parse = (reply: unknown) => listOf(parsePipelineMetrics)(reply, 'metrics of pipelines');
      return await read(endpoint, at('pipelines', options), parse, options);
    },
    compute: async (options = {}) => await read(endpoint, at('compute', options), parseComputeMetrics, options),
  };
}
