import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { openTracing } from './open-tracing.ts';

interface Received {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

async function openCollector(t: TestContext, status = 200) {
  const received: Received[] = [];
  const server: Server = createServer(async (request, reply) => {
    received.push({ path: request.url, headers: request.headers, body: JSON.parse(await text(request)) });
    reply.writeHead(status).end('{}');
  });
  /** The queue has room again once the second batch leaves it. */
  const secondRequest = once(server, 'request').then(() => once(server, 'request'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { url: `http://127.0.0.1:${address.port}/`, received, secondRequest };
}

async function open(endpoint: string | null) {
  const losses: string[] = [];
  const tracing = await openTracing({
    endpoint,
    headers: { 'x-key': 'k' },
    serviceName: 'gptj-cloud',
    serviceVersion: '1',
    onLoss: (reason) => losses.push(reason),
  });
  return { ...tracing, losses };
}

/** The spans of all requests, whatever their resource and scope. */
function spansOf(received: readonly Received[]): readonly Record<string, unknown>[] {
  const spans: Record<string, unknown>[] = [];
  JSON.stringify(
    received.map(({ body }) => body),
    (key, value: unknown) => {
      if (key === 'spans' && Array.isArray(value)) spans.push(...value);
      return value;
    },
  );
  return spans;
}

test('spans reach the collector as OTLP JSON, with the service and the configured headers', async (t) => {
  const { url, received } = await openCollector(t);
  const { tracer, close, losses } = await open(url);
  const request = tracer.startSpan('GET /v2/runs', { kind: SpanKind.SERVER, attributes: { whole: 3, list: ['y'] } });
  await context.with(trace.setSpan(ROOT_CONTEXT, request), async () => {
    await Promise.resolve();
    tracer.startSpan('inner').end();
  });
  request.setStatus({ code: SpanStatusCode.ERROR, message: 'engine_failed' });
  request.end();
  tracer.startSpan('alone').end();
  await Promise.all([close(), close()]);
  assert.deepEqual(losses, []);
  assert.equal(received[0]?.path, '/v1/traces');
  assert.equal(received[0]?.headers['x-key'], 'k');
  assert.match(JSON.stringify(received[0]?.body), /"service\.name","value":\{"stringValue":"gptj-cloud"\}/);
  const [inner, outer, alone] = spansOf(received);
  assert.equal(outer?.name, 'GET /v2/runs');
  assert.equal(outer.kind, 2);
  assert.deepEqual(outer.status, { code: 2, message: 'engine_failed' });
  assert.equal(inner?.parentSpanId, outer.spanId);
  assert.equal(alone?.parentSpanId, undefined);
  assert.notEqual(alone?.traceId, outer.traceId);
});

test('a collector that refuses spans and a full queue cost spans, never an error', async (t) => {
  const { url, secondRequest } = await openCollector(t, 400);
  const { tracer, close, losses } = await open(url);
  for (let i = 0; i < 3000; i++) tracer.startSpan(`${i}`).end();
  // The processor reports dropped spans when it queues the next one.
  await secondRequest;
  tracer.startSpan('next').end();
  await close();
  assert.ok(losses.some((reason) => /^\d+ spans: /.test(reason)));
  assert.ok(losses.some((reason) => /dropped/i.test(reason)));
});

test('without a collector a span costs nothing and has no trace', async () => {
  const { tracer, close } = await open(null);
  const span = tracer.startSpan('x');
  assert.equal(span.isRecording(), false);
  assert.equal(trace.isSpanContextValid(span.spanContext()), false);
  span.end();
  await close();
});
