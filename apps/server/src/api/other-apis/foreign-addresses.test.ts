import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDirectApp } from '../../testing/direct-app.ts';
import { createScriptedEngine } from '../../testing/scripted-engine.ts';
import { byteModel } from '../../testing/scripted-model.ts';
import { FOREIGN_ADDRESSES } from './foreign-addresses.ts';

const engine = createScriptedEngine(() => ({ sequences: [] }));
const { app } = createDirectApp({ engine, model: byteModel(engine) });
const WITH_TOKEN = { authorization: 'Bearer token' };

/** The text that clients of each API show. */
const MESSAGES: Readonly<Record<string, (body: Record<string, Record<string, unknown>>) => unknown>> = {
  "OpenAI's API": ({ error }) => error?.message,
  "Anthropic's API": ({ type, error }) =>
    String(type) === 'error' && error?.type !== undefined ? error.message : null,
  "Ollama's API": ({ error }) => error,
  "llama-server's API": ({ error }) => (typeof error?.code === 'number' ? error.message : null),
  "KoboldAI's API": ({ detail }) => detail?.msg,
  "Hugging Face's services": ({ error }) => error,
};

const request = (method: string, path: string, headers: Record<string, string> = WITH_TOKEN) =>
  app.request(path.replace(/:\w+(?:\{[^}]*\})?/g, 'some-name'), {
    method: method.toUpperCase(),
    headers: { ...headers, 'content-type': 'application/json' },
    ...(method === 'get' ? {} : { body: '{"model":"m","messages":[]}' }),
  });

test('an address of another API answers in the form of that API what to use instead', async () => {
  for (const { method, path, api, reason, instead } of FOREIGN_ADDRESSES) {
    const reply = await request(method, path);
    assert.equal(reply.status, 404, path);
    const message = String(MESSAGES[api]?.((await reply.json()) as Record<string, Record<string, unknown>>));
    assert.ok(message.includes(api) && message.includes(reason) && message.includes(instead), `${path}: ${message}`);
  }
});

test('an address of another API asks for a token, in the form of that API', async () => {
  for (const { method, path, api } of FOREIGN_ADDRESSES) {
    const reply = await request(method, path, {});
    assert.equal(reply.status, 401, path);
    const message = MESSAGES[api]?.((await reply.json()) as Record<string, Record<string, unknown>>);
    assert.match(String(message), /token/, path);
  }
});

test('what to use instead exists', async () => {
  const { paths } = (await (await app.request('/openapi.json')).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const offered = new Set(
    Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`)),
  );
  const foreign = new Set(FOREIGN_ADDRESSES.map(({ method, path }) => `${method} ${path}`));
  let named = 0;
  for (const { instead } of FOREIGN_ADDRESSES) {
    for (const [, method = '', path = ''] of instead.matchAll(/\b(GET|POST) (\/[\w/{}]+)/g)) {
      named++;
      const key = `${method.toLowerCase()} ${path}`;
      assert.ok(offered.has(key) || offered.has(key.replace('{model}', '{name}')), key);
      assert.ok(!foreign.has(key), key);
    }
  }
  assert.ok(named >= FOREIGN_ADDRESSES.length / 2);
});
