import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { HttpEnv } from '../http-env.ts';

const NONE = ["'none'"];

/** Security headers of every reply. Keeps a route's own Content-Security-Policy and Cache-Control. */
export function securityHeaders(options: { readonly hstsSeconds: number }): MiddlewareHandler<HttpEnv> {
  const fixed = secureHeaders({
    overwrite: false,
    // Replies other than pages must not load or execute anything or be framed. Pages set their own policy.
    contentSecurityPolicy: { defaultSrc: NONE, baseUri: NONE, formAction: NONE, frameAncestors: NONE },
    xFrameOptions: 'DENY',
    // Below, because it depends on the request.
    strictTransportSecurity: false,
    // Obsolete headers, or headers without effect on a JSON API.
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  return async (c, next) => {
    await fixed(c, next);
    if (!c.res.headers.has('cache-control')) c.header('Cache-Control', 'no-store');
    // Browsers ignore the header without TLS, and a server reached without it must not promise TLS.
    if (options.hstsSeconds > 0 && c.get('secure')) {
      c.header('Strict-Transport-Security', `max-age=${options.hstsSeconds}; includeSubDomains`);
    }
  };
}
