import { randomUUID } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { Logger } from '../../telemetry/logger.ts';
import type { HttpEnv } from '../http-env.ts';

/** What a caller may name its request by: nothing that breaks a log line or a page. */
const SANE_ID = /^[\w.:-]{1,128}$/;

/**
 * Give every request an id, sent back as X-Request-Id (the caller's own, when it sent a sane one), and every reply a
 * line in the log. Queries and bodies stay out of it.
 */
export function requestLog(logger: Logger): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const given = c.req.header('x-request-id') ?? '';
    const requestId = SANE_ID.test(given) ? given : randomUUID();
    const startedMs = performance.now();
    c.set('requestId', requestId);
    await next();
    c.header('X-Request-Id', requestId);
    const { traceId } = c.var;
    logger.info('request', {
      request_id: requestId,
      ...(traceId === undefined ? {} : { trace_id: traceId }),
      client: c.get('clientAddress'),
      method: c.req.method,
      path: c.req.path.slice(0, 200),
      status: c.res.status,
      duration_ms: Math.round(performance.now() - startedMs),
    });
  };
}
