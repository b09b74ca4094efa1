import { parsePageQuery, pipelineTagCreateSchema, pipelineTagPatchSchema } from '@gptj-cloud/protocol';
import { type Context, Hono } from 'hono';
import type { PipelineTags } from '../../generation/pipelines/pipeline-tags.ts';
import { readJsonBody } from '../../http/json-body.ts';
import type { AppEnv } from '../access/app-env.ts';

export interface TagRoutesDeps {
  readonly tags: PipelineTags;
  readonly maxJsonBytes: number;
}

/** Names for pipelines, as clients from 0.3.0 on manage them. */
export function tagRoutes({ tags, maxJsonBytes }: TagRoutesDeps): Hono<AppEnv> {
  const project = (c: Context<AppEnv>): string => c.get('principal').projectId;
  return (
    new Hono<AppEnv>({ strict: false })
      .post('/v2/pipeline-tags', async (c) => {
        const { value } = await readJsonBody(c.req.raw, pipelineTagCreateSchema, maxJsonBytes);
        return c.json(await tags.create(project(c), value), 201);
      })
      .get('/v2/pipeline-tags', async (c) => {
        const { skip, limit, order_by: orderBy, pipeline_id: pipelineId } = c.req.query();
        const page = parsePageQuery({ skip, limit, orderBy }, ['created_at']);
        const wanted = await tags.idOf(project(c), pipelineId);
        return c.json(await tags.list(project(c), wanted, page));
      })
      // Names hold slashes, which clients do not escape.
      .get('/v2/pipeline-tags/by-name/:name{.+}', async (c) =>
        c.json(await tags.byName(project(c), c.req.param('name'))),
      )
      .patch('/v2/pipeline-tags/:id', async (c) => {
        const { value } = await readJsonBody(c.req.raw, pipelineTagPatchSchema, maxJsonBytes);
        return c.json(await tags.move(project(c), c.req.param('id'), value.pipeline_id));
      })
      .delete('/v2/pipeline-tags/:id', async (c) => {
        await tags.remove(project(c), c.req.param('id'));
        return c.body(null, 204);
      })
  );
}
