import { randomUUID } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { Logger } from '../../telemetry/logger.ts';
import type { HttpEnv } from '../http-env.ts';

/** Request ids that callers may choose: without characters that break a log line or a page. */
const VALID_ID = /^[\w.:-]{1,128}$/;

/**
 * Give every request an id, sent back as X-Request-Id (the caller's own, when it sent a valid one), and every reply a
 * line in the log. Queries and bodies are not logged.
 */
export function requestLog(logger: Logger): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const given = c.req.header('x-request-id') ?? '';
    const requestId = VALID_ID.test(given) ? given : randomUUID();
    const startedMs = performance.now();
    c.set('requestId', requestId);
    await next();
    c.header('X-Request-Id', requestId);
    const { traceId, isDashboard } = c.var;
    logger[isDashboard === true ? 'debug' : 'info']('request', {
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
