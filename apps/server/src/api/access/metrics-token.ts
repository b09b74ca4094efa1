import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from './app-env.ts';

/**
 * Answer a scraper that brings METRICS_TOKEN, before the auth layer. Whoever brings anything else goes on to it, and
 * needs an API token with the scope `admin`.
 */
export function metricsToken(token: string | null, page: () => Promise<Response>): MiddlewareHandler<AppEnv> {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = token === null ? null : hash(`Bearer ${token}`);
  return async (c, next) => {
    // Hashes have one length, and comparing them takes the same time whatever they hold.
    const given = hash(c.req.header('authorization') ?? '');
    if (expected !== null && c.req.method === 'GET' && timingSafeEqual(given, expected)) return await page();
    return await next();
  };
}
