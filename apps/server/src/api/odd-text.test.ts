import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GPTJ_PIPELINE_ID, runGetSchema } from '@gptj-cloud/protocol';
import { postSignedOut, refusal } from '../testing/browser.ts';
import { openTestApp, type TestApp } from '../testing/test-app.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

const run = (data: unknown, fields: Record<string, unknown> = {}) =>
  it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data, ...fields });

/** Texts that PostgreSQL holds neither as text nor as JSON. */
const ODD = ['a\u0000b', '\u0000', 'a\ud800b', '\udc00', 'a\u0001\u001f\u007f\u0085b'];

test('runs a prompt of any text and gives it back exactly, or refuses it with 400', async () => {
  for (const text of ODD) {
    const reply = await run([text, { response_length: 2, remove_input: false }]);
    const body: unknown = await reply.json();
    assert.ok([200, 400].includes(reply.status), `${reply.status} ${JSON.stringify(text)} ${JSON.stringify(body)}`);
    if (reply.status === 400) continue;
    const ended = runGetSchema.parse(body);
    // UTF-8 has no half of a surrogate pair, so the tokenizer reads U+FFFD in its place.
    assert.deepEqual(ended.result_preview, [[`${Buffer.from(text)}xx`]], JSON.stringify(body));
    const read = runGetSchema.parse(await (await it.request(`/v2/runs/${ended.id}`)).json());
    assert.deepEqual(read, ended);
    assert.equal((await it.request('/v2/runs')).status, 200);
  }
});

test('refuses or ignores odd texts in parameters and other fields of a run, never with a 500', async () => {
  for (const text of ODD) {
    for (const parameters of [
      { [text]: 1 },
      { stop_strings: [text] },
      { stop_strings: text },
      { prefix_allowed_tokens_fn: { regex: text } },
      { response_length: text },
      { generation_config: { [text]: text } },
      { bad_words: [text], response_length: 2 },
    ]) {
      const reply = await run(['hi', parameters]);
      assert.ok(
        [200, 400].includes(reply.status),
        `${reply.status} ${JSON.stringify(parameters)} ${await reply.text()}`,
      );
    }
    for (const data of [text, [text], [[text], {}], { [text]: text }, [{ [text]: 1 }]]) {
      const reply = await run(data);
      assert.ok([200, 400].includes(reply.status), `${reply.status} ${JSON.stringify(data)} ${await reply.text()}`);
    }
    for (const fields of [{ [text]: 1 }, { pipeline_id: text }, { async_run: text }, { data_id: text }]) {
      const reply = await run(['hi', { response_length: 2 }], fields);
      assert.ok(reply.status < 500, `${reply.status} ${JSON.stringify(fields)} ${await reply.text()}`);
    }
    const form = new FormData();
    form.set('data', new File([`"${text}"`], text));
    const uploaded = await it.request('/v2/data', { method: 'POST', body: form });
    assert.ok(uploaded.status < 500, await uploaded.text());
  }
  assert.ok(
    !it.logLines.join('').includes('"level":"error"'),
    it.logLines.filter((line) => line.includes('error')).join('\n'),
  );
});

test('refuses odd texts in the fields of accounts with 400 and the name of the field', async () => {
  for (const text of ODD) {
    for (const body of [
      { login: text, password: 'Ozymandias1818' },
      { login: 'percy', password: text },
      { login: 'percy', password: 'x', code: text },
      { login: 'percy', password: 'x', [text]: 'x' },
    ]) {
      const reply = await postSignedOut(it, '/v2/auth/login', body);
      assert.equal(await refusal(reply), '400 invalid_request', JSON.stringify(body));
    }
    const email = `a${text}@example.com`;
    const registered = await postSignedOut(it, '/v2/auth/register', { email, username: text, password: 'Oz1818abcd' });
    assert.equal(registered.status, 400);
  }
});

test('refuses control characters in the address of every route', async () => {
  let walked = 0;
  for (const { method, path } of it.app.routes) {
    if (path === '/*' || method === 'ALL') continue;
    for (const code of ['%00', '%0a', '%C2%85']) {
      const target = `${path.replaceAll(/:\w+(?:\{[^}]*\})?/g, `a${code}b`)}?limit=1&a=${code}`;
      const reply = await it.request(target, { method });
      // Text generation inference answers 422 to everything that is not valid.
      assert.ok([400, 422].includes(reply.status), `${reply.status} ${method} ${path}`);
      if (method !== 'HEAD') assert.match(await reply.text(), /control character/);
      walked++;
    }
  }
  assert.ok(walked > 150);
});
