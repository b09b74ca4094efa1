import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import { createServerMetrics } from '../../telemetry/metrics/server-metrics.ts';
import { recordSpans } from '../../testing/record-spans.ts';
import type { HttpEnv } from '../http-env.ts';
import { observeRequests } from './observe-requests.ts';

function observed() {
  const metrics = createServerMetrics();
  const { tracer, ended } = recordSpans();
  const app = new Hono<HttpEnv>({ strict: false });
  app.use(observeRequests({ metrics, tracer, now: () => 0 }));
  const routes = new Hono<HttpEnv>({ strict: false });
  routes.get('/v2/runs/latest', (c) => c.text('latest'));
  routes.get('/v2/runs/:id', (c) => c.text(c.get('traceId') ?? ''));
  routes.get('/fails', () => {
    throw new Error('no');
  });
  app.route('/', routes);
  app.all('/v2/runs/:id', (c) => c.text('no', 405));
  app.onError((_, c) => c.text('failed', 500));
  return { app, metrics, ended };
}

test('counts requests by the pattern of their route, so that ids and unknown addresses add no series', async () => {
  const { app, metrics } = observed();
  for (const path of ['/v2/runs/a', '/v2/runs/b/', '/nothing/a', '/nothing/b', '/fails']) await app.request(path);
  await app.request('/v2/runs/a', { method: 'DELETE' });
  await app.request('/v2/runs/a', { method: 'BREW' });
  // Later patterns match this path, too.
  await app.request('/v2/runs/latest');
  const lines = (await metrics.registry.render()).split('\n').filter((line) => line.startsWith('gptj_http_requests'));
  assert.deepEqual(lines.toSorted(), [
    'gptj_http_requests_total{method="DELETE",route="/v2/runs/:id",status="405"} 1',
    'gptj_http_requests_total{method="GET",route="/fails",status="500"} 1',
    'gptj_http_requests_total{method="GET",route="/v2/runs/:id",status="200"} 2',
    'gptj_http_requests_total{method="GET",route="/v2/runs/latest",status="200"} 1',
    'gptj_http_requests_total{method="GET",route="unknown",status="404"} 2',
    'gptj_http_requests_total{method="_OTHER",route="/v2/runs/:id",status="405"} 1',
  ]);
});

test('makes a request a span in the trace of its caller', async () => {
  const { app, ended } = observed();
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
  assert.equal(await (await app.request('/v2/runs/a', { headers })).text(), traceId);
  await app.request('/fails');
  await app.request('/v2/runs/a', { headers: { traceparent: headers.traceparent.replace(/1$/, '0') } });
  const spans = ended();
  assert.deepEqual(
    spans.map(({ name, status }) => [name, status.message]),
    [
      ['GET /v2/runs/:id', undefined],
      ['GET /fails', '500'],
    ],
    'a request whose caller does not sample leaves no span',
  );
  assert.equal(spans[0]?.parentSpanContext?.spanId, '00f067aa0ba902b7');
  assert.equal(spans[0]?.attributes['http.response.status_code'], 200);
});
