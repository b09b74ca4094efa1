import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOtlpExporter } from './otlp-exporter.ts';
import { formatTraceparent, parseTraceparent } from './trace-context.ts';
import { createTracer, type FinishedSpan } from './tracer.ts';

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

test('a traceparent is read, and written back as it came', () => {
  const context = parseTraceparent(PARENT);
  assert.deepEqual(context, {
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
    sampled: true,
  });
  assert.equal(context && formatTraceparent(context), PARENT);
  assert.equal(parseTraceparent(`${PARENT.slice(0, -2)}00`)?.sampled, false);
  assert.equal(parseTraceparent(`01${PARENT.slice(2)}-more`)?.sampled, true);
});

test('a traceparent that is not well formed is none', () => {
  for (const bad of [
    undefined,
    '',
    'x',
    `${PARENT}-more`,
    `ff${PARENT.slice(2)}`,
    PARENT.toUpperCase(),
    PARENT.replace('4bf92f3577b34da6a3ce929d0e0e4736', '0'.repeat(32)),
    PARENT.replace('00f067aa0ba902b7', '0'.repeat(16)),
  ]) {
    assert.equal(parseTraceparent(bad), null, bad);
  }
});

test('spans started within another are its children, across awaits; others begin a trace of their own', async () => {
  const spans: FinishedSpan[] = [];
  let ms = 0;
  const tracer = createTracer(
    (span) => spans.push(span),
    () => ms++,
  );
  const request = tracer.start('request', { kind: 'server', parent: parseTraceparent(PARENT) });
  await tracer.within(request, async () => {
    await Promise.resolve();
    assert.equal(tracer.current()?.spanId, request.context?.spanId);
    tracer.start('inner', { kind: 'internal' }).end();
  });
  request.fail('500');
  request.end();
  request.end();
  tracer.start('alone', { kind: 'internal' }).end();
  const [inner, outer, alone] = spans;
  assert.equal(spans.length, 3);
  assert.equal(inner?.parentSpanId, outer?.context.spanId);
  assert.equal(outer?.parentSpanId, '00f067aa0ba902b7');
  assert.equal(inner?.context.traceId, '4bf92f3577b34da6a3ce929d0e0e4736');
  assert.equal(outer?.attributes['error.type'], '500');
  assert.equal(alone?.parentSpanId, null);
  assert.notEqual(alone?.context.traceId, outer?.context.traceId);
});

test('who does not sample is not sampled', () => {
  const spans: FinishedSpan[] = [];
  const tracer = createTracer(
    (span) => spans.push(span),
    () => 0,
  );
  tracer.start('x', { kind: 'server', parent: parseTraceparent(`${PARENT.slice(0, -2)}00`) }).end();
  assert.deepEqual(spans, []);
});

const span = (name: string): FinishedSpan => ({
  name,
  kind: 'server',
  context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true },
  parentSpanId: null,
  startMs: 1_700_000_000_000.25,
  endMs: 1_700_000_000_001,
  attributes: { text: 'x', whole: 3, part: 0.5, flag: true, list: ['y'] },
  error: 'engine_failed',
});

function exporter(answer: () => Promise<Response>) {
  const bodies: unknown[] = [];
  const asked: [string, RequestInit | undefined][] = [];
  const lost: [number, string][] = [];
  const it = createOtlpExporter({
    endpoint: 'http://collector:4318/',
    headers: { 'x-key': 'k' },
    serviceName: 'gptj-cloud',
    serviceVersion: '1',
    fetch: async (input, init) => {
      asked.push([String(input), init]);
      bodies.push(JSON.parse(String(init?.body)));
      return await answer();
    },
    onLost: (spans, reason) => lost.push([spans, reason]),
    delayMs: 60_000,
  });
  return { it, bodies, asked, lost };
}

test('spans go to the collector as OTLP writes them', async () => {
  const { it, bodies, asked, lost } = exporter(async () => new Response('{}'));
  it.add(span('GET /v2/runs'));
  await it.close();
  assert.equal(asked[0]?.[0], 'http://collector:4318/v1/traces');
  assert.equal(Reflect.get(Object(asked[0]?.[1]?.headers), 'x-key'), 'k');
  assert.deepEqual(bodies, [
    {
      resourceSpans: [
        {
          resource: {
            attributes: [
              { key: 'service.name', value: { stringValue: 'gptj-cloud' } },
              { key: 'service.version', value: { stringValue: '1' } },
            ],
          },
          scopeSpans: [
            {
              scope: { name: 'gptj-cloud', version: '1' },
              spans: [
                {
                  traceId: 'a'.repeat(32),
                  spanId: 'b'.repeat(16),
                  flags: 1,
                  name: 'GET /v2/runs',
                  kind: 2,
                  startTimeUnixNano: '1700000000000250000',
                  endTimeUnixNano: '1700000000001000000',
                  attributes: [
                    { key: 'text', value: { stringValue: 'x' } },
                    { key: 'whole', value: { intValue: '3' } },
                    { key: 'part', value: { doubleValue: 0.5 } },
                    { key: 'flag', value: { boolValue: true } },
                    { key: 'list', value: { arrayValue: { values: [{ stringValue: 'y' }] } } },
                  ],
                  status: { code: 2, message: 'engine_failed' },
                },
              ],
            },
          ],
        },
      ],
    },
  ]);
  assert.deepEqual(lost, []);
  it.add(span('after close'));
  await it.close();
  assert.equal(asked.length, 1);
});

test('a collector that fails or falls behind costs spans, never memory or an error', async () => {
  const { it, lost } = exporter(async () => new Response('no', { status: 503 }));
  for (let i = 0; i < 2100; i++) it.add(span(`${i}`));
  await it.close();
  assert.equal(
    lost.reduce((sum, [spans]) => sum + spans, 0),
    2100,
  );
  assert.ok(lost.some(([, reason]) => reason.includes('503')));
  assert.ok(lost.some(([spans]) => spans === 2100 - 2048));
});
