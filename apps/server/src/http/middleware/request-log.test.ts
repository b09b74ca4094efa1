import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import { createLogger } from '../../telemetry/logger.ts';
import { currentRequestFigures } from '../../telemetry/request-figures.ts';
import type { HttpEnv, Peer } from '../http-env.ts';
import { requestLog } from './request-log.ts';

function logged() {
  const lines: Record<string, unknown>[] = [];
  const app = new Hono<HttpEnv>();
  const log = createLogger(
    (line) => lines.push(JSON.parse(line)),
    () => new Date(0),
    { min: 'debug' },
  );
  app.use(requestLog(log));
  return { app, lines };
}

/** A connection whose reply ends when the test calls `end`. */
function heldPeer(): { readonly peer: Peer; end(): void } {
  const listeners: (() => void)[] = [];
  return {
    peer: { address: '::1', encrypted: false, disconnect() {}, onReplyEnd: (listener) => listeners.push(listener) },
    end: () => {
      for (const listener of listeners) listener();
    },
  };
}

test('the line of a reply names who sent the request and what it generated, and is written when the reply has ended', async () => {
  const { app, lines } = logged();
  app.get('/stream', (c) => {
    c.set('projectId', 'project_1');
    c.set('caller', { userId: 'user_1', apiKeyId: 'token_1' });
    const figures = currentRequestFigures() ?? assert.fail('expected figures');
    setImmediate(() => Object.assign(figures, { model: 'gptj', promptTokens: 3, generatedTokens: 40, queueMs: 1.6 }));
    return c.text('…');
  });
  const { peer, end } = heldPeer();
  await app.request('/stream', {}, { peer });
  assert.equal(lines.length, 0);
  await new Promise(setImmediate);
  end();
  const { project_id, user_id, token_id, model, prompt_tokens, generated_tokens, queue_ms, status } = lines[0] ?? {};
  assert.deepEqual([project_id, user_id, token_id, status], ['project_1', 'user_1', 'token_1', 200]);
  assert.deepEqual([model, prompt_tokens, generated_tokens, queue_ms], ['gptj', 3, 40, 2]);
});

test('a client that leaves before the request is handled gets its line when it is', async () => {
  const { app, lines } = logged();
  const { peer, end } = heldPeer();
  app.get('/', (c) => {
    end();
    assert.equal(lines.length, 0);
    return c.text('late');
  });
  await app.request('/', {}, { peer });
  assert.deepEqual([lines.length, lines[0]?.status], [1, 200]);
});

test('requests of probes, scrapes and pages are at debug, and lines without a caller name none', async () => {
  const { app, lines } = logged();
  app.get('/polled', (c) => {
    c.set('isPolled', true);
    return c.text('ok');
  });
  app.get('/page', (c) => {
    c.set('isDashboard', true);
    return c.text('ok');
  });
  for (const path of ['/polled', '/page', '/unknown']) await app.request(path);
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['debug', 'debug', 'info'],
  );
  for (const name of ['user_id', 'token_id', 'project_id', 'model']) assert.ok(!(name in (lines[2] ?? {})), name);
});
