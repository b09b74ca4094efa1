import {
  COUNT_BUCKETS,
  errorCountsGetSchema,
  hardwareMetricsGetSchema,
  latencyGetSchema,
  pipelineMetricsGetSchema,
  runMetricsGetSchema,
  totalComputeGetSchema,
} from '@gptj-cloud/protocol';
import { z } from 'zod';
import { MOMENT } from '../../http/moment.ts';
import { json } from '../../http/openapi/operation.ts';
import { query } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import type { RunCounts } from '../../runs/counts/run-counts.ts';
import type { RunMetrics } from '../../runs/run-metrics.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { PIPELINE_ID } from './run-routes.ts';

const MAX_BUCKETS = 1000;

const SPAN = {
  start: query('start', 'Beginning of the time; epoch seconds or ISO 8601. Default: a day before the end.', MOMENT),
  end: query('end', 'End of the time, not part of it. Default: now.', MOMENT),
  pipelineId: PIPELINE_ID,
} as const;

const COUNTED = {
  start: SPAN.start,
  end: SPAN.end,
  bucket: query(
    'bucket',
    'Hours, up to 31 days of the last 35, or days, up to 366.',
    z.enum(COUNT_BUCKETS).default('hour'),
  ),
} as const;

/** Metrics of runs for the dashboard. */
export function runMetricsRoutes(metrics: RunMetrics, counts: RunCounts): readonly ApiRoute[] {
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
      description:
        'Buckets are equally long. Where they are longer than an hour and bound hours with more than 20,000 runs in all, they begin at the nearest hour.',
      parameters: {
        ...SPAN,
        buckets: query('bucket_count', 'Number of buckets.', z.int().min(1).max(MAX_BUCKETS).default(100)),
      },
      replies: { 200: json(runMetricsGetSchema, 'Buckets of time, all of it, and the same span before it.') },
      handle: ({ parameters: { buckets, ...span }, principal }) => metrics.overTime(principal.projectId, span, buckets),
    }),
    defineRoute({
      ...record,
      path: '/v2/metrics/pipelines',
      summary: 'Runs by pipeline',
      parameters: SPAN,
      replies: { 200: json(pipelineMetricsGetSchema, 'One entry for each pipeline.') },
      handle: ({ parameters, principal }) => metrics.byPipeline(principal.projectId, parameters),
    }),
    defineRoute({
      ...record,
      path: '/v2/metrics/compute',
      summary: 'Compute in all',
      parameters: SPAN,
      replies: { 200: json(totalComputeGetSchema, 'Sums, and their changes against the span before.') },
      handle: ({ parameters, principal }) => metrics.compute(principal.projectId, parameters),
    }),
    defineRoute({
      ...record,
      path: '/v2/metrics/latency',
      summary: 'Times of runs',
      description:
        'Percentiles of the time to the first evaluation, to the first token and to the end, of complete runs by their acceptance.',
      parameters: COUNTED,
      replies: { 200: json(latencyGetSchema, 'Each hour or day with runs, and the whole time.') },
      handle: ({ parameters, principal }) => counts.latency(principal.projectId, parameters),
    }),
    defineRoute({
      ...record,
      path: '/v2/metrics/errors',
      summary: 'Errors by code',
      description: 'Failed runs, and requests of every API that were refused before they ran.',
      parameters: COUNTED,
      replies: { 200: json(errorCountsGetSchema, 'Counts of each hour or day, and of the whole time.') },
      handle: ({ parameters, principal }) => counts.errors(principal.projectId, parameters),
    }),
    defineRoute({
      ...record,
      path: '/v2/metrics/hardware',
      summary: 'Runs by kind of resource',
      parameters: SPAN,
      replies: { 200: json(hardwareMetricsGetSchema, 'One entry for each kind.') },
      handle: ({ parameters, principal }) => metrics.byHardware(principal.projectId, parameters),
    }),
  ];
}
