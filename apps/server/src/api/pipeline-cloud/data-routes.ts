import { ApiError, dataCreateSchema, newId, parseQueryBoolean } from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import { readJsonBody } from '../../http/json-body.ts';
import { onePart } from '../../http/multipart.ts';
import { mediaType } from '../../http/request-body.ts';
import { toDataGet } from '../../runs/data/data.ts';
import { findData, insertData } from '../../runs/data/data-store.ts';
import { newFile, withSmallBytes } from '../../runs/files/file.ts';
import { findFile, insertFile } from '../../runs/files/file-store.ts';
import type { Database } from '../../store/db.ts';
import type { AppEnv } from '../access/app-env.ts';
import { readMultipart } from './file-routes.ts';

export interface DataRoutesDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly maxUploadBytes: number;
  readonly maxJsonBytes: number;
}

/** Making data out of an uploaded file (clients up to 0.4.0) or of raw bytes (from 0.4.2), and reading it back. */
export function dataRoutes({ db, clock, maxUploadBytes, maxJsonBytes }: DataRoutesDeps): Hono<AppEnv> {
  const fromFile = async (request: Request, projectId: string) => {
    const { value } = await readJsonBody(request, dataCreateSchema, maxJsonBytes);
    const file = await findFile(db, projectId, value.id, 'small');
    if (file === null) throw new ApiError('not_found', { kind: 'file', id: value.id.slice(0, 100) });
    const data = { id: newId('data'), createdAt: clock(), file };
    await insertData(db, projectId, data);
    return data;
  };
  const fromBytes = async (request: Request, projectId: string) => {
    const part = onePart(await readMultipart(request, maxUploadBytes), 'data');
    const data = { id: newId('data'), createdAt: clock(), file: newFile(part.filename ?? part.name, part.bytes) };
    await db.transaction(async (tx) => {
      await insertFile(tx, projectId, data.file, data.createdAt);
      await insertData(tx, projectId, data);
    });
    return { ...data, file: withSmallBytes(data.file) };
  };
  return new Hono<AppEnv>({ strict: false })
    .post('/v2/data', async (c) => {
      const request = c.req.raw;
      const isForm = mediaType(request) === 'multipart/form-data';
      const { projectId } = c.get('principal');
      return c.json(toDataGet(await (isForm ? fromBytes(request, projectId) : fromFile(request, projectId))), 201);
    })
    .get('/v2/data/:id', async (c) => {
      const withData = parseQueryBoolean('return_data', c.req.query('return_data'));
      const data = await findData(db, c.get('principal').projectId, c.req.param('id'), withData ? 'all' : 'small');
      if (data === null) throw new ApiError('not_found', { kind: 'data', id: c.req.param('id').slice(0, 100) });
      return c.json(toDataGet(data));
    });
}
