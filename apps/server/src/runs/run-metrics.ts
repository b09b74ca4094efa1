import {
  type HardwareMetricsGet,
  invalidParameter,
  type PipelineMetricsGet,
  type RunMetricsGet,
  type TotalComputeGet,
} from '@gptj-cloud/protocol';
import type { PipelineRegistry } from '../generation/pipelines/pipeline-registry.ts';
import type { PipelineTags } from '../generation/pipelines/pipeline-tags.ts';
import type { Database } from '../store/db.ts';
import { hardwareMetrics, type MetricsQuery, pipelineMetrics, runMetrics, totalCompute } from './run-metrics-store.ts';

export interface RunMetricsDeps {
  readonly db: Database;
  readonly pipelines: PipelineRegistry;
  readonly tags: PipelineTags;
  readonly clock: () => Date;
}

/** The runs that metrics count. */
export interface RunMetricsSpan {
  /** Default: a day before the end. */
  readonly start: Date | undefined;
  /** Default: now. */
  readonly end: Date | undefined;
  /** An id or a tag. Default: every pipeline. */
  readonly pipelineId: string | undefined;
}

/** Metrics of the runs of a project. Each throws `invalid_request` for a span of no or too much time. */
export interface RunMetrics {
  overTime(projectId: string, span: RunMetricsSpan, bucketCount: number): Promise<RunMetricsGet>;
  byPipeline(projectId: string, span: RunMetricsSpan): Promise<PipelineMetricsGet>;
  compute(projectId: string, span: RunMetricsSpan): Promise<TotalComputeGet>;
  byHardware(projectId: string, span: RunMetricsSpan): Promise<HardwareMetricsGet>;
}

const DAY_MS = 86_400_000;
const MAX_SPAN_DAYS = 366;

export function createRunMetrics({ db, pipelines, tags, clock }: RunMetricsDeps): RunMetrics {
  const toQuery = async (projectId: string, span: RunMetricsSpan): Promise<MetricsQuery> => {
    const end = span.end ?? clock();
    const start = span.start ?? new Date(end.getTime() - DAY_MS);
    const lengthMs = end.getTime() - start.getTime();
    if (lengthMs <= 0 || lengthMs > MAX_SPAN_DAYS * DAY_MS) {
      throw invalidParameter('query->start', `expected up to ${MAX_SPAN_DAYS} days before end`);
    }
    return { projectId, pipelineId: await tags.idOf(projectId, span.pipelineId), start, end };
  };
  return {
    overTime: async (projectId, span, bucketCount) => await runMetrics(db, await toQuery(projectId, span), bucketCount),
    byPipeline: async (projectId, span) =>
      await pipelineMetrics(db, await toQuery(projectId, span), (id) => pipelines.describe(id).name),
    compute: async (projectId, span) => await totalCompute(db, await toQuery(projectId, span)),
    byHardware: async (projectId, span) => await hardwareMetrics(db, await toQuery(projectId, span)),
  };
}
