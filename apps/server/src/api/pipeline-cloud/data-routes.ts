import { type DataCreate, dataCreateSchema, dataGetSchema } from '@gptj-cloud/protocol';
import { jsonBody } from '../../http/json-body.ts';
import type { Part } from '../../http/multipart.ts';
import { formPart, isForm } from '../../http/multipart-body.ts';
import { json } from '../../http/openapi/operation.ts';
import { defineRoute, type RequestBody } from '../../http/route.ts';
import { createDataFromBytes, createDataFromFile, getData } from '../../runs/data/data-service.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { type FileRoutesDeps, RETURN_DATA } from './file-routes.ts';

export interface DataRoutesDeps extends FileRoutesDeps {
  readonly maxJsonBytes: number;
}

type DataSource = { readonly file: DataCreate } | { readonly part: Part };

/** Data of runs, made from an uploaded file (clients up to 0.4.0) or from raw bytes (from 0.4.2). */
export function dataRoutes(deps: DataRoutesDeps): readonly ApiRoute[] {
  const record = { errors: pipelineCloudErrors, tag: 'data' } as const;
  return [
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/data',
      access: scope('run'),
      summary: 'Create the data of a run from an uploaded file or from bytes',
      description: 'The bytes are a pickle of plain values; a pickle that would run code is refused.',
      body: dataBody(deps),
      replies: { 201: json(dataGetSchema, 'The data.') },
      async handle({ body, principal: { projectId } }) {
        if ('file' in body) return await createDataFromFile(deps, projectId, body.file.id);
        const { name, filename, bytes } = body.part;
        return await createDataFromBytes(deps, projectId, { name: filename ?? name, bytes });
      },
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/data/:id',
      access: scope('run', 'read'),
      summary: 'Get data',
      parameters: { withBytes: RETURN_DATA },
      replies: { 200: json(dataGetSchema, 'The data.') },
      handle: ({ path, parameters, principal }) =>
        getData(deps, principal.projectId, { id: path.id, withBytes: parameters.withBytes }),
    }),
  ];
}

function dataBody({ maxUploadBytes, maxJsonBytes }: DataRoutesDeps): RequestBody<DataSource> {
  const file = jsonBody(dataCreateSchema, { maxBytes: maxJsonBytes });
  const part = formPart('data', 'The bytes.', { maxBytes: maxUploadBytes });
  return {
    content: [...file.content, ...part.content],
    read: async (request) =>
      isForm(request) ? { part: await part.read(request) } : { file: await file.read(request) },
  };
}
