import { fileGetSchema } from '@gptj-cloud/protocol';
import { z } from 'zod';
import { formPart } from '../../http/multipart-body.ts';
import { json } from '../../http/openapi/operation.ts';
import { type Parameter, query } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import { type FileDeps, getFile, uploadFile } from '../../runs/files/file-service.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

export interface FileRoutesDeps extends FileDeps {
  readonly maxUploadBytes: number;
}

/** Large files and data come without their bytes unless the client asks for them. */
export const RETURN_DATA: Parameter<boolean> = query(
  'return_data',
  'Include the bytes of large files, too.',
  z.boolean().default(false),
);

/** Uploading a file, as hexadecimal digits in one part of a form, and reading it back. */
export function fileRoutes(deps: FileRoutesDeps): readonly ApiRoute[] {
  const record = { errors: pipelineCloudErrors, tag: 'data' } as const;
  return [
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/files',
      access: scope('run'),
      summary: 'Upload a file',
      // Clients up to 0.2.11 send a second part, file_path, which is ignored.
      body: formPart('file', 'Hexadecimal digits of the bytes.', { maxBytes: deps.maxUploadBytes }),
      replies: { 201: json(fileGetSchema, 'The file.') },
      handle: ({ body: part, principal }) =>
        uploadFile(deps, principal.projectId, { name: part.filename ?? part.name, bytes: part.bytes }),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/files/:id',
      access: scope('run', 'read'),
      summary: 'Get a file',
      parameters: { withBytes: RETURN_DATA },
      replies: { 200: json(fileGetSchema, 'The file.') },
      handle: ({ path, parameters, principal }) =>
        getFile(deps, principal.projectId, { id: path.id, withBytes: parameters.withBytes }),
    }),
  ];
}
