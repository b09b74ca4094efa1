// The compatible APIs behind authentication and admission.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApp, type TestApp } from '../testing/test-app.ts';
import { until } from '../testing/until.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

const ADDRESSES: readonly (readonly [string, object, unknown])[] = [
  ['/v1/completions', { prompt: 'hi', max_tokens: 2 }, 'xx'],
  ['/generate', { inputs: 'hi', parameters: { max_new_tokens: 2 } }, { generated_text: 'xx' }],
  ['/', { inputs: 'hi', parameters: { max_new_tokens: 2 } }, [{ generated_text: 'hixx' }]],
  ['/models/EleutherAI/gpt-j-6b', { inputs: 'hi', parameters: { max_new_tokens: 2 } }, [{ generated_text: 'hixx' }]],
  ['/complete', { context: 'hi', response_length: 2 }, { completion: 'xx' }],
];

test('every route accepts the token, and is admitted and metered like a run', async () => {
  for (const [path, body, expected] of ADDRESSES) {
    const before = it.admission.settled.length;
    const reply = await it.post(path, body);
    assert.equal(reply.status, 200, path);
    const got = (await reply.json()) as { choices?: { text: string }[] };
    assert.deepEqual(got.choices?.[0]?.text ?? got, expected);
    const [cost, ...more] = it.admission.settled.slice(before);
    assert.deepEqual([cost?.promptTokens, cost?.generatedTokens, more], [2, 2, []], path);
  }
});

test('generates nothing without a token, and refuses in the form of the API', async () => {
  const began = it.engine.began;
  for (const [path, body] of ADDRESSES) {
    const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const reply = await it.app.request(path, init);
    assert.equal(reply.status, 401, path);
    const { error } = (await reply.json()) as { error: { code: string } | string };
    assert.equal(
      typeof error === 'string' ? error.includes('token not provided') : error.code,
      path === '/v1/completions' ? 'invalid_api_key' : true,
    );
  }
  assert.equal(it.engine.began, began);
  assert.equal((await it.app.request('/v1/models')).status, 401);
  assert.equal((await it.app.request('/info')).status, 401);
  assert.equal((await it.app.request('/health')).status, 200);
});

test('refuses unknown routes and methods in the form of the API', async () => {
  const unknown = await it.post('/v1/nothing', {});
  const { error } = (await unknown.json()) as { error: { code: string } };
  assert.deepEqual([unknown.status, error.code], [404, 'route_unknown']);
  const wrong = await it.request('/v1/completions');
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'POST']);
});

test('refuses bodies that are not JSON objects', async () => {
  for (const [path] of ADDRESSES) {
    for (const body of ['', '[]', '{', '"x"', '{"prompt":"a","prompt":"b"}', `{"a":${'['.repeat(500)}`]) {
      const headers = { 'content-type': 'application/json' };
      const reply = await it.request(path, { method: 'POST', body, headers });
      assert.ok(reply.status === 400 || reply.status === 422, `${path} ${body.slice(0, 20)}: ${reply.status}`);
    }
    const reply = await it.request(path, { method: 'POST', body: 'x', headers: { 'content-type': 'image/png' } });
    assert.equal(reply.status, 415);
  }
});

test('releases the reservation of a stream that is abandoned before its first token', { timeout: 10_000 }, async () => {
  it.engine.hold();
  try {
    for (const echo of [true, false]) {
      const before = it.admission.settled.length + it.admission.cancelled.length;
      const reply = await it.post('/v1/completions', { prompt: 'hi', stream: true, echo });
      await reply.body?.cancel();
      await until(() => it.admission.settled.length + it.admission.cancelled.length > before);
      assert.equal(it.admission.settled.length + it.admission.cancelled.length, before + 1);
    }
  } finally {
    it.engine.resume();
  }
});
