import { ApiError } from '@gptj-cloud/protocol';
import { acceptsGzip, gzipText } from '../../http/compression.ts';
import { openManual } from '../../http/manual/manual.ts';
import { MANUAL_POLICY } from '../../http/manual/manual-frame.ts';
import { openApiDocument } from '../../http/openapi/openapi-document.ts';
import type { Operation } from '../../http/openapi/operation.ts';
import { HTML_PAGE, json, media } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import { type ApiRoute, PUBLIC } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

const CACHING = 'public, max-age=300';

export interface ReferenceOptions {
  /** All routes, these included. */
  readonly operations: () => readonly Operation[];
  readonly version: string;
  /** The folder `docs`; null: the reference alone. */
  readonly manualDir: string | null;
  /** Address of this server in examples. */
  readonly origin: () => string;
}

/** The manual, and the reference of all operations as OpenAPI and as pages. Both are public, as the source is. */
export function referenceRoutes(options: ReferenceOptions): readonly ApiRoute[] {
  const { operations, version, manualDir, origin } = options;
  // Built at the first request: most processes get none.
  let document: Promise<readonly [text: string, compressed: Uint8Array<ArrayBuffer>]> | null = null;
  const describe = () => openApiDocument(operations(), version);
  const write = async () => {
    const text = JSON.stringify(describe());
    return [text, await gzipText(text)] as const;
  };
  const manual = openManual({ folder: manualDir, document: describe, origin });
  const record = { method: 'get', access: PUBLIC, errors: pipelineCloudErrors, tag: 'server' } as const;
  const page = (html: string | null, path: string) => {
    if (html === null) throw new ApiError('route_unknown', { method: 'GET', path });
    const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': MANUAL_POLICY };
    return new Response(html, { headers: { ...headers, 'cache-control': CACHING } });
  };
  return [
    defineRoute({
      ...record,
      path: '/openapi.json',
      summary: 'This reference as an OpenAPI document',
      replies: { 200: json({ type: 'object' }, 'An OpenAPI 3.1 document.') },
      async handle(_, c) {
        document ??= write();
        const [text, compressed] = await document;
        const headers = { 'content-type': 'application/json', 'cache-control': CACHING, vary: 'Accept-Encoding' };
        return acceptsGzip(c.req.header('accept-encoding') ?? '')
          ? c.body(compressed, 200, { ...headers, 'content-encoding': 'gzip' })
          : c.body(text, 200, headers);
      },
    }),
    defineRoute({
      ...record,
      path: '/docs',
      summary: 'The manual, and this reference as pages',
      replies: { 200: HTML_PAGE },
      handle: async (_, c) => page(await manual.page(null), c.req.path),
    }),
    defineRoute({
      ...record,
      path: '/docs/:page',
      summary: 'A page of the manual',
      replies: { 200: HTML_PAGE },
      handle: async ({ path }, c) =>
        page(path.page === 'reference' ? await manual.reference(null) : await manual.page(path.page), c.req.path),
    }),
    defineRoute({
      ...record,
      path: '/docs/reference/:section',
      summary: 'A section of this reference as a page',
      replies: { 200: HTML_PAGE },
      handle: async ({ path }, c) => page(await manual.reference(path.section), c.req.path),
    }),
    defineRoute({
      ...record,
      path: '/docs/screens/:file',
      summary: 'A picture of the manual',
      replies: { 200: media('image/png', 'A picture.') },
      handle: async ({ path }, c) => {
        const picture = await manual.picture(path.file);
        if (picture === null) throw new ApiError('route_unknown', { method: 'GET', path: c.req.path });
        return c.body(picture, 200, { 'content-type': 'image/png', 'cache-control': CACHING });
      },
    }),
  ];
}
