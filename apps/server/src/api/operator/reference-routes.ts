import { Hono } from 'hono';
import { OPERATIONS, openApiDocument } from '../../http/openapi/openapi-document.ts';
import { REFERENCE_POLICY, referencePage } from '../../http/openapi/reference-page.ts';
import type { AppEnv } from '../access/app-env.ts';

/** The reference, for machines and for people. Open to anybody: it says what is in the source. */
export function referenceRoutes(version: string): Hono<AppEnv> {
  // Made when it is first asked for: most processes never are.
  let texts: { readonly json: string; readonly html: string } | null = null;
  const make = () => {
    const document = openApiDocument(OPERATIONS, version);
    texts ??= { json: JSON.stringify(document), html: referencePage(document) };
    return texts;
  };
  return new Hono<AppEnv>({ strict: false })
    .get('/openapi.json', (c) =>
      c.body((texts ?? make()).json, 200, {
        'content-type': 'application/json',
        'cache-control': 'public, max-age=300',
      }),
    )
    .get('/docs', (c) =>
      c.html((texts ?? make()).html, 200, {
        'content-security-policy': REFERENCE_POLICY,
        'cache-control': 'public, max-age=300',
      }),
    );
}
