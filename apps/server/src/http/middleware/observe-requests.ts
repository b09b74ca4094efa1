import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';

import type { ServerMetrics } from '../../telemetry/metrics/server-metrics.ts';
import type { HttpEnv } from '../http-env.ts';

export interface RequestObserver {
  readonly metrics: ServerMetrics;
  readonly tracer: Tracer;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Methods that may be a label; clients can invent others. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * Count and time every request under its route's pattern, never its path, and make it a span in the trace that the
 * client's `traceparent` names. The duration of a streamed reply ends with its headers.
 */
export function observeRequests({ metrics, tracer, now }: RequestObserver): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const method = METHODS.has(c.req.method) ? c.req.method : '_OTHER';
    const startedAt = now();
    const parent = propagation.extract(ROOT_CONTEXT, c.req.header());
    const span = tracer.startSpan(
      method,
      {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': method, 'url.scheme': c.get('secure') ? 'https' : 'http' },
      },
      parent,
    );
    const { traceId } = span.spanContext();
    c.set('traceId', trace.isSpanContextValid(span.spanContext()) ? traceId : undefined);
    await context.with(trace.setSpan(parent, span), next);
    const pattern = routePath(c);
    const route = c.get('isDashboard') === true ? 'dashboard' : isNoRoute(pattern) ? 'unknown' : pattern;
    const { status } = c.res;
    metrics.httpRequests.add(1, { method, route, status: String(status) });
    metrics.httpSeconds.observe((now() - startedAt) / 1000, { method, route });
    span.updateName(`${method} ${route}`);
    span.setAttributes({ 'http.route': route, 'http.response.status_code': status });
    if (status >= 500) {
      span.setAttribute('error.type', String(status));
      span.setStatus({ code: SpanStatusCode.ERROR, message: String(status) });
    }
    span.end();
  };
}

function isNoRoute(pattern: string): boolean {
  return pattern === '*' || pattern === '/*';
}
