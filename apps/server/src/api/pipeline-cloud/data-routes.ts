import { type DataCreate, dataCreateSchema, dataGetSchema } from '@gptj-cloud/protocol';
import { jsonBody } from '../../http/json-body.ts';
import { type FormPart, formPart, isForm } from '../../http/multipart-body.ts';
import { json, NO_CONTENT } from '../../http/openapi/operation.ts';
import { defineRoute, type RequestBody } from '../../http/route.ts';
import {
  createDataFromBytes,
  createDataFromFile,
  getData,
  getWholeData,
  removeData,
} from '../../runs/data/data-service.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { type FileRoutesDeps, jsonStream, RETURN_DATA, uploadOf } from './file-routes.ts';

export interface DataRoutesDeps extends FileRoutesDeps {}

type DataSource = { readonly file: DataCreate } | { readonly part: FormPart };

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
      bodyExample: { id: 'ID_OF_A_FILE' },
      replies: { 201: json(dataGetSchema, 'The data.') },
      async handle({ body, principal }) {
        if ('file' in body) return await createDataFromFile(deps, principal, body.file.id);
        return await createDataFromBytes(deps, principal, uploadOf(body.part));
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
      handle: async ({ path, parameters, principal: { projectId } }, c) =>
        parameters.withBytes
          ? jsonStream(c, await getWholeData(deps, projectId, path.id))
          : await getData(deps, projectId, path.id),
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/data/:id',
      access: scope('write'),
      summary: 'Delete data that are the input of no run, with their file',
      replies: { 204: NO_CONTENT },
      handle: ({ path, principal }) => removeData(deps, principal.projectId, path.id),
    }),
  ];
}

function dataBody({ maxUploadBytes }: DataRoutesDeps): RequestBody<DataSource> {
  const file = jsonBody(dataCreateSchema);
  const part = formPart('data', 'The bytes.', { maxBytes: maxUploadBytes });
  return {
    content: [...file.content, ...part.content],
    read: async (request) =>
      isForm(request) ? { part: await part.read(request) } : { file: await file.read(request) },
    end: async (source) => {
      if ('part' in source) await source.part.end();
    },
  };
}
