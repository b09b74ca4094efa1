import { openApiDocument } from '../../http/openapi/openapi-document.ts';
import type { Operation } from '../../http/openapi/operation.ts';
import { HTML_PAGE, json } from '../../http/openapi/operation.ts';
import { REFERENCE_POLICY, referencePage } from '../../http/openapi/reference-page.ts';
import { defineRoute } from '../../http/route.ts';
import { type ApiRoute, PUBLIC } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

const CACHING = 'public, max-age=300';

/** The reference of all operations, as OpenAPI and as a page. It is public, as the source is. */
export function referenceRoutes(operations: () => readonly Operation[], version: string): readonly ApiRoute[] {
  // Built at the first request: most processes get none.
  let built: Promise<{ readonly document: string; readonly page: string }> | null = null;
  const build = async () => {
    const document = openApiDocument(operations(), version);
    return { document: JSON.stringify(document), page: await referencePage(document) };
  };
  const reference = async () => {
    built ??= build();
    return await built;
  };
  const record = { method: 'get', access: PUBLIC, errors: pipelineCloudErrors, tag: 'server' } as const;
  return [
    defineRoute({
      ...record,
      path: '/openapi.json',
      summary: 'This reference as an OpenAPI document',
      replies: { 200: json({ type: 'object' }, 'An OpenAPI 3.1 document.') },
      handle: async (_, c) =>
        c.body((await reference()).document, 200, { 'content-type': 'application/json', 'cache-control': CACHING }),
    }),
    defineRoute({
      ...record,
      path: '/docs',
      summary: 'This reference as a page',
      replies: { 200: HTML_PAGE },
      handle: async (_, c) =>
        c.html((await reference()).page, 200, {
          'content-security-policy': REFERENCE_POLICY,
          'cache-control': CACHING,
        }),
    }),
  ];
}
