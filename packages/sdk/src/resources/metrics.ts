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

/** Milliseconds from the acceptance of complete runs, exact to 5 %. Null: no run. */
export interface Percentiles {
  readonly runs: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/** Times to the first evaluation, to the first token and to the end. */
export interface Latencies {
  readonly queued: Percentiles;
  readonly firstToken: Percentiles;
  readonly total: Percentiles;
}

/** Hours or days without runs are left out. */
export interface LatencyMetrics {
  readonly start: Date;
  readonly end: Date;
  readonly buckets: readonly (Latencies & { readonly start: Date })[];
  readonly overall: Latencies;
}

/** Failed runs, and requests that were refused before they ran, by the code of their error. */
export interface ErrorMetrics {
  readonly start: Date;
  readonly end: Date;
  readonly buckets: readonly { readonly start: Date; readonly code: string; readonly count: number }[];
  readonly total: readonly { readonly code: string; readonly count: number }[];
}

export interface CountOptions extends CallOptions {
  /** Default: a day before the end. */
  readonly start?: Date;
  /** Default: now. */
  readonly end?: Date;
  /** `hour`: up to 31 days of the last 35. `day`: up to 366. Default `hour`. */
  readonly bucket?: 'hour' | 'day';
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
  /** Runs by kind of resource, as the API has them: there is one kind. */
  hardware(options?: MetricsOptions): Promise<unknown>;
  latency(options?: CountOptions): Promise<LatencyMetrics>;
  errors(options?: CountOptions): Promise<ErrorMetrics>;
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

const parsePercentiles = record<Percentiles>({
  runs: numberAt,
  p50Ms: nullable(numberAt),
  p95Ms: nullable(numberAt),
  p99Ms: nullable(numberAt),
});
const LATENCIES = { queued: parsePercentiles, firstToken: parsePercentiles, total: parsePercentiles };
const parseLatency = record<LatencyMetrics>({
  start: dateAt,
  end: dateAt,
  buckets: listOf(record<Latencies & { readonly start: Date }>({ ...LATENCIES, start: dateAt })),
  overall: record<Latencies>(LATENCIES),
});
const parseErrors = record<ErrorMetrics>({
  start: dateAt,
  end: dateAt,
  buckets: listOf(record<ErrorMetrics['buckets'][number]>({ start: dateAt, code: stringAt, count: numberAt })),
  total: listOf(record<ErrorMetrics['total'][number]>({ code: stringAt, count: numberAt })),
});

export function createMetrics(endpoint: Endpoint): Metrics {
  const at = (name: string, { start, end, pipelineId }: MetricsOptions, buckets?: number): string =>
    `/v2/metrics/${name}${queryOf({
      start: start?.toISOString(),
      end: end?.toISOString(),
      pipeline_id: pipelineId,
      bucket_count: buckets?.toString(),
    })}`;
  const counted = (name: string, { start, end, bucket }: CountOptions): string =>
    `/v2/metrics/${name}${queryOf({ start: start?.toISOString(), end: end?.toISOString(), bucket })}`;
  return {
    runs: async (options = {}) => await read(endpoint, at('runs', options, options.buckets), parseRunMetrics, options),
    pipelines: async (options = {}) => {
      const parse = (reply: unknown) => listOf(parsePipelineMetrics)(reply, 'metrics of pipelines');
      return await read(endpoint, at('pipelines', options), parse, options);
    },
    compute: async (options = {}) => await read(endpoint, at('compute', options), parseComputeMetrics, options),
    hardware: async (options = {}) => await read(endpoint, at('hardware', options), (reply) => reply, options),
    latency: async (options = {}) => await read(endpoint, counted('latency', options), parseLatency, options),
    errors: async (options = {}) => await read(endpoint, counted('errors', options), parseErrors, options),
  };
}
