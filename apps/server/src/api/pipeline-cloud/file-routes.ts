import { ApiError, parseQueryBoolean } from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import { onePart, parseMultipart } from '../../http/multipart.ts';
import { mediaType, readBody } from '../../http/request-body.ts';
import { decodeUpload, newFile, toFileGet, withSmallBytes } from '../../runs/files/file.ts';
import { findFile, insertFile } from '../../runs/files/file-store.ts';
import type { Database } from '../../store/db.ts';
import type { AppEnv } from '../access/app-env.ts';

export interface FileRoutesDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly maxUploadBytes: number;
}

/** Uploading a file (hex of its bytes, as one part of a form) and reading it back. */
export function fileRoutes({ db, clock, maxUploadBytes }: FileRoutesDeps): Hono<AppEnv> {
  return new Hono<AppEnv>({ strict: false })
    .post('/v2/files', async (c) => {
      // Clients up to 0.2.11 send a second part, file_path, with nothing to act on.
      const part = onePart(await readMultipart(c.req.raw, maxUploadBytes), 'file');
      const file = newFile(part.filename ?? part.name, decodeUpload(part.bytes));
      await insertFile(db, c.get('principal').projectId, file, clock());
      return c.json(toFileGet(withSmallBytes(file)), 201);
    })
    .get('/v2/files/:id', async (c) => {
      const withData = parseQueryBoolean('return_data', c.req.query('return_data'));
      const file = await findFile(db, c.get('principal').projectId, c.req.param('id'), withData ? 'all' : 'small');
      if (file === null) throw new ApiError('not_found', { kind: 'file', id: c.req.param('id').slice(0, 100) });
      return c.json(toFileGet(file));
    });
}

/** The parts of an upload. Throws `unsupported_media_type`, `invalid_multipart` and what reading a body throws. */
export async function readMultipart(request: Request, limit: number): Promise<ReturnType<typeof parseMultipart>> {
  const type = mediaType(request);
  if (type !== 'multipart/form-data') {
    throw new ApiError('unsupported_media_type', { expected: 'multipart/form-data', got: type === '' ? 'none' : type });
  }
  return parseMultipart(await readBody(request, limit), request.headers.get('content-type') ?? '');
}
