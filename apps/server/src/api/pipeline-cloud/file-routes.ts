import { fileGetSchema } from '@gptj-cloud/protocol';
import type { Context } from 'hono';
import { z } from 'zod';
import { byteStream } from '../../http/byte-stream.ts';
import { acceptsGzip, gzipStream } from '../../http/compression.ts';
import { type FormPart, formPart } from '../../http/multipart-body.ts';
import { json, NO_CONTENT } from '../../http/openapi/operation.ts';
import { type Parameter, query } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import {
  type FileDeps,
  getFile,
  getWholeFile,
  removeFile,
  type Upload,
  uploadFile,
} from '../../runs/files/file-service.ts';
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

/** A reply of JSON that is read from the store as the client reads it, and compressed if the client reads gzip. */
export function jsonStream(c: Context, texts: AsyncIterable<string>): Response {
  const headers = { 'content-type': 'application/json', vary: 'Accept-Encoding' };
  const bytes = byteStream(texts);
  return acceptsGzip(c.req.header('accept-encoding') ?? '')
    ? new Response(gzipStream(bytes), { headers: { ...headers, 'content-encoding': 'gzip' } })
    : new Response(bytes, { headers });
}

export function uploadOf({ name, filename, bytes, announcedBytes }: FormPart): Upload {
  return { name: filename ?? name, bytes, announcedBytes };
}

/** Uploading a file, as hexadecimal digits in one part of a form, reading it back, and deleting it. */
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
      handle: ({ body: part, principal }) => uploadFile(deps, principal, uploadOf(part)),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/files/:id',
      access: scope('run', 'read'),
      summary: 'Get a file',
      parameters: { withBytes: RETURN_DATA },
      replies: { 200: json(fileGetSchema, 'The file.') },
      handle: async ({ path, parameters, principal: { projectId } }, c) =>
        parameters.withBytes
          ? jsonStream(c, await getWholeFile(deps, projectId, path.id))
          : await getFile(deps, projectId, path.id),
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/files/:id',
      access: scope('write'),
      summary: 'Delete a file that is neither data nor the result of a run',
      replies: { 204: NO_CONTENT },
      handle: ({ path, principal }) => removeFile(deps, principal.projectId, path.id),
    }),
  ];
}
