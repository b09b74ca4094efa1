import { errorBodySchema, modelServeSchema, modelServingGetSchema, modelServingListSchema } from '@gptj-cloud/protocol';
import type { ServingService } from '../../generation/serving/serving-service.ts';
import { jsonBody } from '../../http/json-body.ts';
import { json } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import { type ApiRoute, serverOwner } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

export interface ModelServingRoutesDeps {
  readonly serving: ServingService;
}

const PATH = '/v2/admin/models/served';

/** Models of the data folder that are served without a restart, for owners of the server. */
export function modelServingRoutes({ serving }: ModelServingRoutesDeps): readonly ApiRoute[] {
  const record = { errors: pipelineCloudErrors, tag: 'server' } as const;
  return [
    defineRoute({
      ...record,
      method: 'get',
      path: PATH,
      access: serverOwner('see the models of the server'),
      summary: 'List the served models',
      description:
        'Those of the settings first, then those that owners have the server serve. A model that this server cannot serve is `failed`, with the reason.',
      replies: { 200: json(modelServingListSchema, 'The models and what they are doing.') },
      handle: async () => ({ data: [...(await serving.list())] }),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: PATH,
      access: serverOwner('have models served'),
      summary: 'Serve a model of the data folder, without a restart',
      description:
        'It gets a pipeline, tags, its place in plans and metrics as a model of `GPTJ_MODELS` does, and is loaded at the first request. It is stored: every server of the store serves it, also after a restart, as far as its data folder has the model. Where the settings of a server have a model of the same name, they win.',
      body: jsonBody(modelServeSchema),
      bodyExample: { model: 'gpt-j-6b.q8_0', name: 'gpt-j' },
      replies: {
        200: json(modelServingGetSchema, 'The model, which is served.'),
        409: json(errorBodySchema, 'A model of this name is served, or it does not fit into the memory.'),
      },
      handle: async ({ body: { model, name = null }, caller }) => await serving.serve({ model, name }, caller),
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: `${PATH}/:name`,
      access: serverOwner('have models served no longer'),
      summary: 'Serve a model no longer',
      description:
        'New requests are refused at once with `model_unknown`; generations that have begun go on to their end, then its memory is free. Refused while runs of it are open. Its file stays.',
      replies: {
        200: json(modelServingGetSchema, 'The model as it was.'),
        409: json(errorBodySchema, 'Runs of it have not ended, or the settings name it.'),
      },
      handle: async ({ path: { name }, caller }) => await serving.stop(name, caller),
    }),
  ];
}
