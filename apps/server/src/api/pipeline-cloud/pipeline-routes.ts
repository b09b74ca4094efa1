import { ApiError, type EnvironmentGet, parsePageQuery } from '@gptj-cloud/protocol';
import { type Context, Hono } from 'hono';
import { toPipelineGet } from '../../generation/pipelines/pipeline.ts';
import type { PipelineRegistry } from '../../generation/pipelines/pipeline-registry.ts';
import type { PipelineTags } from '../../generation/pipelines/pipeline-tags.ts';
import type { AppEnv } from '../access/app-env.ts';

/** What clients upload Python code with, and how a refusal names it. */
const UPLOADS: readonly (readonly [path: string, kind: string])[] = [
  ['/v2/functions', 'functions'],
  ['/v2/models', 'models'],
  ['/v2/pipelines', 'pipelines'],
  ['/v2/pipeline-files/initiate-multipart-upload', 'pipeline files'],
  ['/v2/pipeline-files/presigned-url', 'pipeline files'],
  ['/v2/pipeline-files/finalise-multipart-upload', 'pipeline files'],
  ['/v2/environments', 'environments'],
];

/** The environment that clients from 0.4.0 on know as the default one. It holds nothing: no Python runs here. */
const DEFAULT_ENVIRONMENT: EnvironmentGet = {
  id: 'environment_35a54969b7474150b87afdf155431884',
  name: 'public/mystic-default-20230126',
  python_requirements: [],
  locked: true,
};

export interface PipelineRoutesDeps {
  readonly pipelines: PipelineRegistry;
  readonly tags: PipelineTags;
}

/** Looking at the built-in pipelines and the one environment; uploads are refused in words the client shows. */
export function pipelineRoutes({ pipelines, tags }: PipelineRoutesDeps): Hono<AppEnv> {
  const page = <Item>(c: Context<AppEnv>, items: readonly Item[]) => {
    const { skip: from, limit: max, order_by: orderBy } = c.req.query();
    const { skip, limit } = parsePageQuery({ skip: from, limit: max, orderBy }, ['created_at']);
    return { skip, limit, total: items.length, data: items.slice(skip, skip + limit) };
  };
  const environment = (idOrName: string): EnvironmentGet => {
    if (idOrName === DEFAULT_ENVIRONMENT.id || idOrName === DEFAULT_ENVIRONMENT.name) return DEFAULT_ENVIRONMENT;
    const remedy = 'GET /v2/environments lists the one there is';
    throw new ApiError('name_unknown', { kind: 'environment', name: idOrName.slice(0, 100), remedy });
  };
  const refuse = (kind: string): never => {
    throw new ApiError('upload_refused', { kind, known: pipelines.ids.join(', ') });
  };
  const routes = new Hono<AppEnv>({ strict: false })
    .get('/v2/pipelines', (c) =>
      c.json(
        page(
          c,
          pipelines.ids.map((id) => pipelines.describe(id)),
        ),
      ),
    )
    // A tag may hold slashes.
    .get('/v2/pipelines/:id{.+}', async (c) =>
      c.json(toPipelineGet(await tags.resolve(c.get('principal').projectId, c.req.param('id')))),
    )
    .get('/v2/environments', (c) => c.json(page(c, [DEFAULT_ENVIRONMENT])))
    .get('/v2/environments/by-name/:name{.+}', (c) => c.json(environment(c.req.param('name'))))
    .get('/v2/environments/:id', (c) => c.json(environment(c.req.param('id'))))
    .patch('/v2/environments/:id', () => refuse('environments'))
    .delete('/v2/environments/:id', () => refuse('environments'));
  for (const [path, kind] of UPLOADS) routes.post(path, () => refuse(kind));
  return routes;
}
