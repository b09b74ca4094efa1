import type { MiddlewareHandler } from 'hono';
import type { HttpEnv } from '../http-env.ts';

/** A reply that is no page may load, run and be framed by nothing. Pages set a policy of their own. */
const NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What every reply tells browsers. A route's own Content-Security-Policy and Cache-Control stay. */
export function securityHeaders(options: { readonly hstsSeconds: number }): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    await next();
    const { headers } = c.res;
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Referrer-Policy', 'no-referrer');
    c.header('X-Frame-Options', 'DENY');
    c.header('Cross-Origin-Resource-Policy', 'same-origin');
    if (!headers.has('content-security-policy')) c.header('Content-Security-Policy', NOTHING);
    if (!headers.has('cache-control')) c.header('Cache-Control', 'no-store');
    // Browsers ignore it without TLS, and a server that was reached without it promises nothing.
    if (options.hstsSeconds > 0 && c.get('secure')) {
      c.header('Strict-Transport-Security', `max-age=${options.hstsSeconds}; includeSubDomains`);
    }
  };
}
