import { ApiError } from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import { toPipelineGet } from '../../pipelines/pipeline.ts';
import type { PipelineRegistry } from '../../pipelines/pipeline-registry.ts';
import type { AppEnv } from '../app-env.ts';

/** What clients upload Python code with, and how a refusal names it. */
const UPLOADS: readonly (readonly [path: string, kind: string])[] = [
  ['/v2/functions', 'functions'],
  ['/v2/models', 'models'],
  ['/v2/pipelines', 'pipelines'],
  ['/v2/pipeline-files/initiate-multipart-upload', 'pipeline files'],
  ['/v2/pipeline-files/presigned-url', 'pipeline files'],
  ['/v2/pipeline-files/finalise-multipart-upload', 'pipeline files'],
  ['/v2/pipeline-tags', 'pipeline tags'],
  ['/v2/environments', 'environments'],
];

/** Looking at the built-in pipelines; uploads of new ones are refused in words the client shows. */
export function pipelineRoutes(pipelines: PipelineRegistry): Hono<AppEnv> {
  const routes = new Hono<AppEnv>({ strict: false }).get('/v2/pipelines/:id', (c) =>
    c.json(toPipelineGet(pipelines.find(c.req.param('id')))),
  );
  for (const [path, kind] of UPLOADS) {
    routes.post(path, () => {
      throw new ApiError('upload_refused', { kind, known: pipelines.ids.join(', ') });
    });
  }
  return routes;
}
