import { ApiError } from '@gptj-cloud/protocol';
import type { Context } from 'hono';
import type { HttpEnv } from '../../http/http-env.ts';

/**
 * Refuse a POST from a page of another site: it could sign its visitor in to an account of the attacker. Browsers alone
 * send these headers, and scripts cannot forge them: Sec-Fetch-Site to addresses with TLS and to this machine, Origin
 * with every POST. Throws `csrf_token_wrong`.
 */
export function refuseOtherSites(c: Context<HttpEnv>, publicUrl: string): void {
  if (c.req.method !== 'POST') return;
  const site = c.req.header('sec-fetch-site');
  const origin = c.req.header('origin');
  const isOther =
    site === undefined
      ? origin !== undefined && !isOriginOf(origin, [c.req.url, publicUrl])
      : site === 'cross-site' || site === 'same-site';
  if (!isOther) return;
  const remedy = 'send it from a page of this server; if it was, PUBLIC_URL is not where that page is reached';
  throw new ApiError('csrf_token_wrong', { got: 'a request of another site' }, { remedy });
}

/** Whether one of the URLs has that host and port. The scheme may differ: a proxy may have ended TLS. */
function isOriginOf(origin: string, urls: readonly string[]): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  return urls.some((url) => {
    if (!URL.canParse(url)) return false;
    const at = new URL(url);
    // A URL omits the default port of its scheme.
    at.protocol = protocol;
    return at.host === host;
  });
}
