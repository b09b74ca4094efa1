import { presetCreateSchema, presetGetSchema, presetPageSchema, presetPatchSchema } from '@gptj-cloud/protocol';
import type { PresetService } from '../../generation/presets/preset-service.ts';
import { jsonBody } from '../../http/json-body.ts';
import { json, NO_CONTENT } from '../../http/openapi/operation.ts';
import { PAGE } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

export interface PresetRoutesDeps {
  readonly presets: PresetService;
}

const presetReply = json(presetGetSchema, 'The preset.');

/** Parameters of runs under a name, shared by the members of a project. */
export function presetRoutes({ presets }: PresetRoutesDeps): readonly ApiRoute[] {
  const record = { errors: pipelineCloudErrors, tag: 'presets' } as const;
  return [
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/presets',
      access: scope('write'),
      summary: 'Store parameters under a name',
      description: 'The parameters are validated with the run that uses them. A preset counts as a stored item.',
      body: jsonBody(presetCreateSchema),
      bodyExample: { name: 'calm', parameters: { temperature: 0.6, top_p: 0.9 } },
      replies: { 201: presetReply },
      handle: ({ body, principal }) => presets.create(principal, body),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/presets',
      access: scope('read'),
      summary: 'List presets',
      parameters: PAGE,
      replies: { 200: json(presetPageSchema, 'A page of presets.') },
      handle: ({ parameters, principal }) => presets.list(principal.projectId, parameters),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/presets/:id',
      access: scope('read'),
      summary: 'Get a preset',
      replies: { 200: presetReply },
      handle: ({ path, principal }) => presets.get(principal.projectId, path.id),
    }),
    defineRoute({
      ...record,
      method: 'patch',
      path: '/v2/presets/:id',
      access: scope('write'),
      summary: 'Change a preset',
      body: jsonBody(presetPatchSchema),
      bodyExample: { parameters: { temperature: 0.7 } },
      replies: { 200: presetReply },
      handle: ({ path, body, principal }) => presets.update(principal, path.id, body),
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/presets/:id',
      access: scope('write'),
      summary: 'Delete a preset',
      replies: { 204: NO_CONTENT },
      handle: ({ path, principal }) => presets.remove(principal.projectId, path.id),
    }),
  ];
}
