/** Which replies are compressed, through the composed server. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { gzipStream } from '../http/compression.ts';
import { compressedJsonReply } from '../http/json-reply.ts';
import { MAX_SLICE_LENGTH } from '../http/json-slices.ts';
import { registerAndSignIn } from '../testing/browser.ts';
import { openTestApp, type TestApp } from '../testing/test-app.ts';
import { until } from '../testing/until.ts';

const GZIP = { 'accept-encoding': 'gzip, deflate, br' };

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

const get = (path: string, headers: Readonly<Record<string, string>> = GZIP) => it.request(path, { headers });

async function unpacked(reply: Response): Promise<string> {
  assert.equal(reply.headers.get('content-encoding'), 'gzip');
  return gunzipSync(Buffer.from(await reply.arrayBuffer())).toString('utf8');
}

test('JSON of over a kilobyte is compressed for clients that read gzip', async () => {
  const reply = await get('/v2/plans');
  assert.match(reply.headers.get('vary') ?? '', /Accept-Encoding/);
  const text = await unpacked(reply);
  for (const headers of [{}, { 'accept-encoding': 'identity' }, { 'accept-encoding': 'gzip;q=0, br' }]) {
    const plain = await get('/v2/plans', headers);
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.match(plain.headers.get('vary') ?? '', /Accept-Encoding/);
    assert.equal(await plain.text(), text);
  }
  assert.equal((await get('/v2/status')).headers.get('content-encoding'), null, 'a short reply');
});

test('a long reply is compressed while it is written', async () => {
  const value = Array.from({ length: 20_000 }, (_, index) => [index, 'é']);
  const reply = await compressedJsonReply(value, true, (body, headers) => new Response(body, { headers }));
  assert.equal(await unpacked(reply), JSON.stringify(value));
  assert.ok(JSON.stringify(value).length > MAX_SLICE_LENGTH);
});

test('the reference and the bytes of files are compressed as well', async () => {
  const plain = await get('/openapi.json', {});
  assert.equal(plain.headers.get('content-encoding'), null);
  assert.equal(await unpacked(await get('/openapi.json')), await plain.text());
  const form = new FormData();
  form.set('file', new Blob(['ab'.repeat(3000)]), 'zeros');
  const { id } = Object(await (await it.request('/v2/files', { method: 'POST', body: form })).json());
  const path = `/v2/files/${id}?return_data=true`;
  assert.equal(await unpacked(await get(path)), await (await get(path, {})).text());
});

test('leaving a compressed reply early ends its source', async () => {
  let isCancelled = false;
  const source = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(randomBytes(100_000)),
    cancel() {
      isCancelled = true;
    },
  });
  const reader = gzipStream(source).getReader();
  assert.equal((await reader.read()).done, false);
  await reader.cancel();
  await until(() => isCancelled);
});

test('streams are not compressed', async () => {
  const body = JSON.stringify({ pipeline_id: GPTJ_PIPELINE_ID, data: ['x', { response_length: 400 }] });
  for (const accept of ['text/event-stream', 'application/json']) {
    const headers = { ...GZIP, accept, 'content-type': 'application/json' };
    const reply = await it.request('/v2/runs', { method: 'POST', body, headers });
    assert.equal(reply.headers.get('content-encoding'), null, accept);
    await reply.text();
  }
});

test('replies with secrets are not compressed', async () => {
  const user = await registerAndSignIn(it, 'shelley');
  for (let made = 0; made < 5; made++) assert.equal((await user.ask('/v2/tokens', 'POST', {})).status, 201);
  const reply = await user.ask('/v2/tokens', 'GET', undefined, GZIP);
  assert.equal(reply.headers.get('content-encoding'), null);
  const text = await reply.text();
  assert.ok(text.length > 1024, text);
});

/** Their `value` is the value of a metric. */
const METRICS = '/v2/evaluations';

test('every route whose reply has a field for a secret is marked', async () => {
  const secret = /"(?:value|secret|csrf_token|recovery_codes|authorization_url)":\{/;
  const document: unknown = await (await it.request('/openapi.json')).json();
  const { paths, components } = Object(document);
  const schemas = (node: unknown): string =>
    JSON.stringify(node).replaceAll(/"#\/components\/schemas\/([^"]+)"/g, (_, name) =>
      JSON.stringify(components.schemas[name]),
    );
  const found: string[] = [];
  for (const [path, methods] of Object.entries<Record<string, unknown>>(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const { responses, description = '' } = Object(operation);
      const successes = Object.entries(responses).filter(([status]) => status.startsWith('2'));
      if (path.startsWith(METRICS) || !secret.test(schemas(successes))) continue;
      found.push(`${method} ${path}`);
      assert.match(String(description), /never compressed/, `${method} ${path} needs holdsSecret: true`);
    }
  }
  for (const known of ['post /v2/tokens', 'get /v2/auth/session', 'post /v2/webhooks'])
    assert.ok(found.includes(known));
});
