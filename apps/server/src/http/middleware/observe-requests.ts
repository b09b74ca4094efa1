import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { AppEnv } from '../../api/access/app-env.ts';
import type { ServerMetrics } from '../../telemetry/metrics/server-metrics.ts';
import { parseTraceparent } from '../../telemetry/tracing/trace-context.ts';
import type { Tracer } from '../../telemetry/tracing/tracer.ts';

export interface RequestObserver {
  readonly metrics: ServerMetrics;
  readonly tracer: Tracer;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Methods that may be a label; anybody can make up others. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * Count and time every request under its route's pattern, never its path, and make it a span in the trace that the
 * client's `traceparent` names. Of a streamed reply the time until its headers counts.
 */
export function observeRequests({ metrics, tracer, now }: RequestObserver): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const method = METHODS.has(c.req.method) ? c.req.method : '_OTHER';
    const startedAt = now();
    const span = tracer.start(method, {
      kind: 'server',
      parent: parseTraceparent(c.req.header('traceparent')),
      attributes: { 'http.request.method': method, 'url.scheme': c.get('secure') ? 'https' : 'http' },
    });
    c.set('traceId', span.context?.traceId);
    await tracer.within(span, next);
    const pattern = routePath(c, -1);
    const route = pattern === '*' || pattern === '/*' ? 'unknown' : pattern;
    const { status } = c.res;
    metrics.httpRequests.add(1, { method, route, status: String(status) });
    metrics.httpSeconds.observe((now() - startedAt) / 1000, { method, route });
    span.rename(`${method} ${route}`);
    span.set({ 'http.route': route, 'http.response.status_code': status });
    if (status >= 500) span.fail(String(status));
    span.end();
  };
}
