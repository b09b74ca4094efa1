/** Serves the dashboard's files and the shell of its pages, before authentication: both are public and contain no data. */
import { ApiError } from '@gptj-cloud/protocol';
import type { Context, MiddlewareHandler } from 'hono';
import { html } from 'hono/html';
import { acceptedCodings } from '../compression.ts';
import { htmlPage, pagePolicy } from '../html-page.ts';
import type { HttpEnv } from '../http-env.ts';
import { PAGE_OF_ACTION, PAGE_OF_LINK, PAGE_SEGMENTS } from './page-addresses.ts';
import type { Site, SiteContents, SiteFile } from './site.ts';

const ASSETS = '/assets/';
/** Names of assets contain the hash of their content. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
const REVALIDATED = 'no-cache';
const RELOAD_SECONDS = '2';
/** What the choice between a page and the API's reply depends on. */
const CHOICE = 'Accept, Sec-Fetch-Mode';

const pages: ReadonlySet<string> = new Set(PAGE_SEGMENTS);

/**
 * Answer the dashboard's addresses. `apiSegments` are the first segments of the API's addresses: those stay the API's,
 * except the root, the pages of links and those of actions, when a browser navigates there.
 */
export function serveDashboard(site: Site, apiSegments: ReadonlySet<string>): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return await next();
    const path = c.req.path.length > 1 ? c.req.path.replace(/\/$/, '') : '/';
    const segment = path.split('/')[1] ?? '';
    const isApi = segment !== '' && apiSegments.has(segment);
    const link = isApi ? (PAGE_OF_LINK[path] ?? PAGE_OF_ACTION[path]) : undefined;
    if (isApi && link === undefined) return await next();
    const isPage = isNavigation(c);
    if (!isPage && (isApi || path === '/')) return await next();
    const contents = await site.contents();
    const file = contents?.files.get(path);
    if (link === undefined && file === undefined && !isPage && !path.startsWith(ASSETS)) return await next();
    c.set('isDashboard', true);
    if (link !== undefined) return c.redirect(link, 302);
    if (file !== undefined) {
      return fileReply(c, file, { 'cache-control': path.startsWith(ASSETS) ? IMMUTABLE : REVALIDATED });
    }
    // A page of an older build asks for its files; the reply must not be the shell.
    if (path.startsWith(ASSETS))
      throw new ApiError('route_unknown', { method: c.req.method, path: path.slice(0, 200) });
    if (contents === null) return await unbuiltPage();
    const headers = { 'cache-control': REVALIDATED, 'content-security-policy': shellPolicy(contents), vary: CHOICE };
    return fileReply(c, contents.shell, headers, pages.has(segment) ? 200 : 404);
  };
}

/** Whether a browser opens the address as a page. Old browsers do not send Sec-Fetch-Mode. */
function isNavigation(c: Context<HttpEnv>): boolean {
  const accepted = (c.req.header('accept') ?? '').split(',').map((range) => range.split(';')[0]?.trim().toLowerCase());
  return accepted.includes('text/html') && (c.req.header('sec-fetch-mode') ?? 'navigate') === 'navigate';
}

function fileReply(
  c: Context<HttpEnv>,
  file: SiteFile,
  headers: Readonly<Record<string, string>>,
  status: 200 | 404 = 200,
): Response {
  const vary = [headers.vary, 'Accept-Encoding'].filter((name) => name !== undefined).join(', ');
  const sent = { ...headers, vary, etag: file.etag };
  const known = (c.req.header('if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (status === 200 && known.includes(file.etag)) return c.body(null, 304, sent);
  const coding = chooseCoding(c.req.header('accept-encoding') ?? '', file);
  const body = file[coding] ?? file.identity;
  return c.body(body, status, {
    ...sent,
    'content-type': file.type,
    'content-length': String(body.byteLength),
    ...(coding === 'identity' ? {} : { 'content-encoding': coding }),
  });
}

function chooseCoding(accepted: string, file: SiteFile): 'br' | 'gzip' | 'identity' {
  const codings = acceptedCodings(accepted);
  if (file.br !== undefined && codings.has('br')) return 'br';
  return file.gzip !== undefined && codings.has('gzip') ? 'gzip' : 'identity';
}

/** Only files of this server, no inline script, and no text that becomes markup. */
function shellPolicy({ styleHashes }: SiteContents): string {
  return pagePolicy(
    "script-src 'self'",
    ["style-src 'self'", ...styleHashes.map((hash) => `'${hash}'`)].join(' '),
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  );
}

async function unbuiltPage(): Promise<Response> {
  const page = await htmlPage({
    status: 503,
    title: 'The dashboard is being built',
    body: html`<p>This page reloads by itself. The API answers already.</p>
<p>The build takes some seconds after <code>npm start</code>; where it fails, the output of <code>npm start</code> has the reason.</p>`,
    policy: pagePolicy(),
  });
  page.headers.set('refresh', RELOAD_SECONDS);
  page.headers.set('retry-after', RELOAD_SECONDS);
  page.headers.set('vary', CHOICE);
  return page;
}
