import { ApiError, type DataCreate, dataCreateSchema, dataGetSchema, newId } from '@gptj-cloud/protocol';
import { jsonBody } from '../../http/json-body.ts';
import type { Part } from '../../http/multipart.ts';
import { formPart, isForm } from '../../http/multipart-body.ts';
import { json } from '../../http/openapi/operation.ts';
import { defineRoute, type RequestBody } from '../../http/route.ts';
import { toDataGet } from '../../runs/data/data.ts';
import { findData, insertData } from '../../runs/data/data-store.ts';
import { newFile, withSmallBytes } from '../../runs/files/file.ts';
import { findFile, insertFile } from '../../runs/files/file-store.ts';
import type { Database } from '../../store/db.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { RETURN_DATA } from './file-routes.ts';

export interface DataRoutesDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly maxUploadBytes: number;
  readonly maxJsonBytes: number;
}

type DataSource = { readonly file: DataCreate } | { readonly part: Part };

/** Data of runs, made from an uploaded file (clients up to 0.4.0) or from raw bytes (from 0.4.2). */
export function dataRoutes({ db, clock, maxUploadBytes, maxJsonBytes }: DataRoutesDeps): readonly ApiRoute[] {
  const fromFile = async ({ id }: DataCreate, projectId: string) => {
    const file = await findFile(db, projectId, id, 'small');
    if (file === null) throw new ApiError('not_found', { kind: 'file', id: id.slice(0, 100) });
    const data = { id: newId('data'), createdAt: clock(), file };
    await insertData(db, projectId, data);
    return data;
  };
  const fromBytes = async (part: Part, projectId: string) => {
    const data = { id: newId('data'), createdAt: clock(), file: newFile(part.filename ?? part.name, part.bytes) };
    await db.transaction(async (tx) => {
      await insertFile(tx, projectId, data.file, data.createdAt);
      await insertData(tx, projectId, data);
    });
    return { ...data, file: withSmallBytes(data.file) };
  };
  const record = { errors: pipelineCloudErrors, tag: 'data' } as const;
  return [
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/data',
      access: scope('run'),
      summary: 'Make the data of a run from an uploaded file or from bytes',
      description: 'The bytes are a pickle of plain values; a pickle that would run code is refused.',
      body: dataBody(maxUploadBytes, maxJsonBytes),
      replies: { 201: json(dataGetSchema, 'The data.') },
      async handle({ body, principal: { projectId } }) {
        return toDataGet(await ('part' in body ? fromBytes(body.part, projectId) : fromFile(body.file, projectId)));
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
      async handle({ path, parameters, principal }) {
        const data = await findData(db, principal.projectId, path.id, parameters.withBytes ? 'all' : 'small');
        if (data === null) throw new ApiError('not_found', { kind: 'data', id: path.id.slice(0, 100) });
        return toDataGet(data);
      },
    }),
  ];
}

function dataBody(maxUploadBytes: number, maxJsonBytes: number): RequestBody<DataSource> {
  const file = jsonBody(dataCreateSchema, { maxBytes: maxJsonBytes });
  const part = formPart('data', 'The bytes.', { maxBytes: maxUploadBytes });
  return {
    content: [...file.content, ...part.content],
    read: async (request) =>
      isForm(request) ? { part: await part.read(request) } : { file: await file.read(request) },
  };
}
