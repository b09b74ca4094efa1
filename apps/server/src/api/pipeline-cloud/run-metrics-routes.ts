import {
  hardwareMetricsGetSchema,
  invalidParameter,
  pipelineMetricsGetSchema,
  runMetricsGetSchema,
  totalComputeGetSchema,
} from '@gptj-cloud/protocol';
import { z } from 'zod';
import type { PipelineRegistry } from '../../generation/pipelines/pipeline-registry.ts';
import type { PipelineTags } from '../../generation/pipelines/pipeline-tags.ts';
import { json } from '../../http/openapi/operation.ts';
import { type ParameterValues, query } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import {
  hardwareMetrics,
  type MetricsQuery,
  pipelineMetrics,
  runMetrics,
  totalCompute,
} from '../../runs/run-metrics-store.ts';
import type { Database } from '../../store/db.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { PIPELINE_ID } from './run-routes.ts';

export interface RunMetricsRoutesDeps {
  readonly db: Database;
  readonly pipelines: PipelineRegistry;
  readonly tags: PipelineTags;
  readonly clock: () => Date;
}

const DAY_MS = 86_400_000;
const MAX_SPAN_DAYS = 366;
const MAX_BUCKETS = 1000;

const momentSchema = z
  .string()
  .transform((value, context) => {
    const moment = parseMoment(value);
    if (moment !== null) return moment;
    context.addIssue('expected epoch seconds or ISO 8601');
    return z.NEVER;
  })
  .optional();

const SPAN = {
  start: query(
    'start',
    'Beginning of the time; epoch seconds or ISO 8601. Default: a day before the end.',
    momentSchema,
  ),
  end: query('end', 'End of the time, not part of it. Default: now.', momentSchema),
  pipelineId: PIPELINE_ID,
} as const;

/** Metrics of runs for the dashboard. */
export function runMetricsRoutes({ db, pipelines, tags, clock }: RunMetricsRoutesDeps): readonly ApiRoute[] {
  const metricsQuery = async (span: ParameterValues<typeof SPAN>, projectId: string): Promise<MetricsQuery> => {
    const end = span.end ?? clock();
    const start = span.start ?? new Date(end.getTime() - DAY_MS);
    const length = end.getTime() - start.getTime();
    if (length <= 0 || length > MAX_SPAN_DAYS * DAY_MS) {
      throw invalidParameter('query->start', `expected up to ${MAX_SPAN_DAYS} days before end`);
    }
    return { projectId, pipelineId: await tags.idOf(projectId, span.pipelineId), start, end };
  };
  const record = {
    method: 'get',
    access: scope('read'),
    errors: pipelineCloudErrors,
    tag: 'metrics of runs',
  } as const;
  return [
    defineRoute({
      ...record,
      path: '/v2/metrics/runs',
      summary: 'Runs over time',
      parameters: {
        ...SPAN,
        buckets: query('bucket_count', 'Number of buckets.', z.int().min(1).max(MAX_BUCKETS).default(100)),
      },
      replies: { 200: json(runMetricsGetSchema, 'Buckets of time, all of it, and the same span before it.') },
      handle: async ({ parameters, principal }) =>
        await runMetrics(db, await metricsQuery(parameters, principal.projectId), parameters.buckets),
    }),
    defineRoute({
      ...record,
      path: '/v2/metrics/pipelines',
      summary: 'Runs by pipeline',
      parameters: SPAN,
      replies: { 200: json(pipelineMetricsGetSchema, 'One entry for each pipeline.') },
      handle: async ({ parameters, principal }) =>
        await pipelineMetrics(
          db,
          await metricsQuery(parameters, principal.projectId),
          (id) => pipelines.describe(id).name,
        ),
    }),
    defineRoute({
      ...record,
      path: '/v2/metrics/compute',
      summary: 'Compute in all',
      parameters: SPAN,
      replies: { 200: json(totalComputeGetSchema, 'Sums, and their changes against the span before.') },
      handle: async ({ parameters, principal }) =>
        await totalCompute(db, await metricsQuery(parameters, principal.projectId)),
    }),
    defineRoute({
      ...record,
      path: '/v2/metrics/hardware',
      summary: 'Runs by kind of resource',
      parameters: SPAN,
      replies: { 200: json(hardwareMetricsGetSchema, 'One entry for each kind.') },
      handle: async ({ parameters, principal }) =>
        await hardwareMetrics(db, await metricsQuery(parameters, principal.projectId)),
    }),
  ];
}

/** Epoch seconds or ISO 8601, between 1970 and 3000; null for anything else. */
function parseMoment(value: string): Date | null {
  const isNumber = /^\d{1,11}(\.\d{1,6})?$/.test(value);
  const moment = new Date(isNumber ? Number(value) * 1000 : /^\d{4}-\d\d-\d\d/.test(value) ? value : Number.NaN);
  const year = moment.getUTCFullYear();
  return year >= 1970 && year < 3000 ? moment : null;
}
