import {
  pipelineTagCreateSchema,
  pipelineTagGetSchema,
  pipelineTagPageSchema,
  pipelineTagPatchSchema,
} from '@gptj-cloud/protocol';
import type { PipelineTags } from '../../generation/pipelines/pipeline-tags.ts';
import { jsonBody } from '../../http/json-body.ts';
import { json, NO_CONTENT } from '../../http/openapi/operation.ts';
import { PAGE } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { PIPELINE_ID } from './run-routes.ts';

export interface TagRoutesDeps {
  readonly tags: PipelineTags;
}

const tagReply = json(pipelineTagGetSchema, 'The tag.');

/** Names for pipelines, as clients from 0.3.0 on manage them. */
export function tagRoutes({ tags }: TagRoutesDeps): readonly ApiRoute[] {
  const record = { errors: pipelineCloudErrors, tag: 'pipelines' } as const;
  return [
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/pipeline-tags',
      access: scope('write'),
      summary: 'Name a pipeline',
      body: jsonBody(pipelineTagCreateSchema),
      bodyExample: { name: 'my-project/gpt-j:best', pipeline_id: 'gpt-j:latest' },
      replies: { 201: tagReply },
      handle: ({ body, principal }) => tags.create(principal, body),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/pipeline-tags',
      access: scope('read'),
      summary: 'List tags',
      parameters: { ...PAGE, pipelineId: PIPELINE_ID },
      replies: { 200: json(pipelineTagPageSchema, 'A page of tags.') },
      async handle({ parameters, principal: { projectId } }) {
        return await tags.list(projectId, await tags.idOf(projectId, parameters.pipelineId), parameters);
      },
    }),
    defineRoute({
      ...record,
      method: 'get',
      // Names hold slashes, which clients do not escape.
      path: '/v2/pipeline-tags/by-name/:name{.+}',
      access: scope('read'),
      summary: 'Get a tag by name',
      replies: { 200: tagReply },
      handle: ({ path, principal }) => tags.byName(principal.projectId, path.name),
    }),
    defineRoute({
      ...record,
      method: 'patch',
      path: '/v2/pipeline-tags/:id',
      access: scope('write'),
      summary: 'Assign a tag to another pipeline',
      body: jsonBody(pipelineTagPatchSchema),
      bodyExample: { pipeline_id: 'gpt-j:latest' },
      replies: { 200: tagReply },
      handle: ({ path, body, principal }) => tags.move(principal.projectId, path.id, body.pipeline_id),
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/pipeline-tags/:id',
      access: scope('write'),
      summary: 'Delete a tag',
      replies: { 204: NO_CONTENT },
      handle: ({ path, principal }) => tags.remove(principal.projectId, path.id),
    }),
  ];
}
