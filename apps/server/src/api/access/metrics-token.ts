import { createHash, timingSafeEqual } from 'node:crypto';
import type { Access } from '../../http/route.ts';
import { serverOwner } from './access.ts';
import type { Guard } from './guard.ts';

/** A scraper with METRICS_TOKEN as bearer token, or an owner of the server. Null: owners only. */
export function metricsAccess(token: string | null): Access<Guard, object> {
  const owner = serverOwner('read metrics');
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = token === null ? null : hash(`Bearer ${token}`);
  return {
    ...owner,
    note: 'For owners of the server, and for a scraper with METRICS_TOKEN as bearer token.',
    async authorize(guard, c) {
      c.set('isPolled', true);
      // Hashes have equal length, and the comparison takes constant time.
      const given = hash(c.req.header('authorization') ?? '');
      if (expected !== null && timingSafeEqual(given, expected)) {
        c.get('load')?.identify('metrics', { isExempt: true });
        return {};
      }
      return await owner.authorize(guard, c);
    },
  };
}
