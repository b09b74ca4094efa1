import { invalidParameter, type QueryValue } from '@gptj-cloud/protocol';
import { type Context, Hono } from 'hono';
import type { PipelineRegistry } from '../../generation/pipelines/pipeline-registry.ts';
import type { PipelineTags } from '../../generation/pipelines/pipeline-tags.ts';
import {
  hardwareMetrics,
  type MetricsQuery,
  pipelineMetrics,
  runMetrics,
  totalCompute,
} from '../../runs/run-metrics-store.ts';
import type { Database } from '../../store/db.ts';
import type { AppEnv } from '../access/app-env.ts';

export interface RunMetricsRoutesDeps {
  readonly db: Database;
  readonly pipelines: PipelineRegistry;
  readonly tags: PipelineTags;
  readonly clock: () => Date;
}

const DAY_MS = 86_400_000;
const MAX_MS = 366 * DAY_MS;
const MAX_BUCKETS = 1000;

/** What the dashboard shows of runs: `start` (default a day ago), `end` (default now), `pipeline_id`, `bucket_count`. */
export function runMetricsRoutes({ db, pipelines, tags, clock }: RunMetricsRoutesDeps): Hono<AppEnv> {
  const query = async (c: Context<AppEnv>): Promise<MetricsQuery> => {
    const end = parseMoment('end', c.req.query('end')) ?? clock();
    const start = parseMoment('start', c.req.query('start')) ?? new Date(end.getTime() - DAY_MS);
    const length = end.getTime() - start.getTime();
    if (length <= 0 || length > MAX_MS) throw invalidParameter('query->start', 'expected up to 366 days before end');
    const { projectId } = c.get('principal');
    const pipelineId = await tags.idOf(projectId, c.req.query('pipeline_id'));
    return { projectId, pipelineId, start, end };
  };
  return new Hono<AppEnv>({ strict: false })
    .get('/v2/metrics/runs', async (c) =>
      c.json(await runMetrics(db, await query(c), parseBucketCount(c.req.query('bucket_count')))),
    )
    .get('/v2/metrics/pipelines', async (c) =>
      c.json(await pipelineMetrics(db, await query(c), (id) => pipelines.describe(id).name)),
    )
    .get('/v2/metrics/compute', async (c) => c.json(await totalCompute(db, await query(c))))
    .get('/v2/metrics/hardware', async (c) => c.json(await hardwareMetrics(db, await query(c))));
}

/** Epoch seconds or ISO 8601. */
function parseMoment(name: string, value: QueryValue): Date | null {
  if (value === undefined || value === '') return null;
  const isNumber = /^\d{1,11}(\.\d{1,6})?$/.test(value);
  const moment = new Date(isNumber ? Number(value) * 1000 : /^\d{4}-\d\d-\d\d/.test(value) ? value : Number.NaN);
  const year = moment.getUTCFullYear();
  if (year >= 1970 && year < 3000) return moment;
  throw invalidParameter(`query->${name}`, 'expected epoch seconds or ISO 8601');
}

function parseBucketCount(value: QueryValue): number {
  if (value === undefined || value === '') return 100;
  const count = /^\d{1,4}$/.test(value) ? Number(value) : Number.NaN;
  if (count >= 1 && count <= MAX_BUCKETS) return count;
  throw invalidParameter('query->bucket_count', `expected an integer from 1 to ${MAX_BUCKETS}`);
}
