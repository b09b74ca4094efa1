import type { MiddlewareHandler } from 'hono';
import type { HttpEnv } from '../http-env.ts';

/** Headers that pages may read. */
const EXPOSED = [
  'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy',
  'X-RateLimit-Limit-Requests, X-RateLimit-Remaining-Requests, X-RateLimit-Reset-Requests',
  'X-RateLimit-Limit-Tokens, X-RateLimit-Remaining-Tokens, X-RateLimit-Reset-Tokens',
].join(', ');
const METHODS = 'GET, HEAD, POST, PATCH, PUT, DELETE';
/** Time for which browsers may cache a preflight. */
const MAX_AGE_SECONDS = 600;

/**
 * Let pages of the listed origins call the API with an API token. Credentials are not allowed, so that browsers never send
 * the cookie of a session across origins. Other origins get no CORS headers, so browsers refuse.
 */
export function cors(origins: readonly string[]): MiddlewareHandler<HttpEnv> {
  const allowed = new Set(origins);
  return async (c, next) => {
    const origin = c.req.header('origin');
    const known = origin !== undefined && allowed.has(origin);
    if (known && c.req.method === 'OPTIONS' && c.req.header('access-control-request-method') !== undefined) {
      // A preflight carries no token, so it is answered before authentication.
      c.header('Access-Control-Allow-Methods', METHODS);
      // Without credentials `*` means every header but Authorization.
      c.header('Access-Control-Allow-Headers', 'Authorization, *');
      c.header('Access-Control-Max-Age', String(MAX_AGE_SECONDS));
      c.header('Access-Control-Allow-Origin', origin);
      c.header('Vary', 'Origin', { append: true });
      c.res = c.body(null, 204);
      return;
    }
    await next();
    if (allowed.size === 0) return;
    // Caches must not give one origin's reply to another.
    c.header('Vary', 'Origin', { append: true });
    if (!known) return;
    c.header('Access-Control-Allow-Origin', origin);
    c.header('Access-Control-Expose-Headers', EXPOSED);
    c.header('Cross-Origin-Resource-Policy', 'cross-origin');
  };
}
