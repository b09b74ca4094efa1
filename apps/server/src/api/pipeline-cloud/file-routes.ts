import { ApiError, fileGetSchema } from '@gptj-cloud/protocol';
import { z } from 'zod';
import { formPart } from '../../http/multipart-body.ts';
import { json } from '../../http/openapi/operation.ts';
import { type Parameter, query } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import { decodeUpload, newFile, toFileGet, withSmallBytes } from '../../runs/files/file.ts';
import { findFile, insertFile } from '../../runs/files/file-store.ts';
import type { Database } from '../../store/db.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

export interface FileRoutesDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly maxUploadBytes: number;
}

/** Large files and data come without their bytes unless the client asks for them. */
export const RETURN_DATA: Parameter<boolean> = query(
  'return_data',
  'Include the bytes of large files, too.',
  z.boolean().default(false),
);

/** Uploading a file, as hexadecimal digits in one part of a form, and reading it back. */
export function fileRoutes({ db, clock, maxUploadBytes }: FileRoutesDeps): readonly ApiRoute[] {
  const record = { errors: pipelineCloudErrors, tag: 'data' } as const;
  return [
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/files',
      access: scope('run'),
      summary: 'Upload a file',
      // Clients up to 0.2.11 send a second part, file_path, which is ignored.
      body: formPart('file', 'Hexadecimal digits of the bytes.', { maxBytes: maxUploadBytes }),
      replies: { 201: json(fileGetSchema, 'The file.') },
      async handle({ body: part, principal }) {
        const file = newFile(part.filename ?? part.name, decodeUpload(part.bytes));
        await insertFile(db, principal.projectId, file, clock());
        return toFileGet(withSmallBytes(file));
      },
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/files/:id',
      access: scope('run', 'read'),
      summary: 'Get a file',
      parameters: { withBytes: RETURN_DATA },
      replies: { 200: json(fileGetSchema, 'The file.') },
      async handle({ path, parameters, principal }) {
        const file = await findFile(db, principal.projectId, path.id, parameters.withBytes ? 'all' : 'small');
        if (file === null) throw new ApiError('not_found', { kind: 'file', id: path.id.slice(0, 100) });
        return toFileGet(file);
      },
    }),
  ];
}
