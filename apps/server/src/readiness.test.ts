import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReadiness } from './readiness.ts';
import { createLogger } from './telemetry/logger.ts';
import { createDirectApp } from './testing/direct-app.ts';
import { byteTokenizer, createFakeEngine } from './testing/fake-model.ts';

function openReadiness(checks: Readonly<Record<string, () => Promise<unknown>>>) {
  const lines: string[] = [];
  const logger = createLogger(
    (line) => lines.push(line),
    () => new Date(0),
  );
  const named = Object.entries(checks).map(([name, check]) => ({ name, check }));
  const logged = (): readonly unknown[] =>
    lines.map((line) => JSON.parse(line)).map(({ message, check }) => [message, check]);
  return { isReady: createReadiness(named, logger), logged };
}

test('is ready when every check passes, and logs nothing', async () => {
  const { isReady, logged } = openReadiness({ database: async () => 1, engine: async () => undefined });
  assert.deepEqual(await isReady(), []);
  assert.deepEqual(logged(), []);
});

test('is not ready when a check fails, and logs which one', async () => {
  const { isReady, logged } = openReadiness({
    database: async () => 1,
    engine: () => Promise.reject(new Error('ended')),
  });
  assert.deepEqual(await isReady(), ['engine']);
  assert.deepEqual(logged(), [['not ready: check failed', 'engine']]);
});

test('is not ready when a check hangs; later calls join it, and a check that answers makes it ready again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let calls = 0;
  let answer = (): void => {};
  const { isReady, logged } = openReadiness({
    engine: () => {
      calls++;
      return new Promise<void>((resolve) => {
        answer = resolve;
      });
    },
  });
  const replies = [isReady(), isReady()];
  t.mock.timers.tick(900);
  assert.deepEqual(await Promise.all(replies), [['engine'], ['engine']]);
  assert.equal(calls, 1);
  assert.deepEqual(logged()[0], ['not ready: no answer in time', 'engine']);
  const joined = isReady();
  answer();
  assert.deepEqual(await joined, []);
  const fresh = isReady();
  assert.equal(calls, 2);
  answer();
  assert.deepEqual(await fresh, []);
});

test('GET /readyz answers 503 when the engine does not answer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let asked = (): void => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const stats = (): Promise<never> => {
    asked();
    return new Promise(() => {});
  };
  const { get } = createDirectApp({ engine: { ...createFakeEngine(), stats }, model: { tokenizer: byteTokenizer } });
  const reply = get('/readyz');
  await isAsked;
  t.mock.timers.tick(900);
  const answer = await reply;
  assert.equal(answer.status, 503);
  const body: unknown = await answer.json();
  // This app has no database.
  assert.deepEqual(body, { status: 'not ready', reasons: ['database', 'disk', 'engine'] });
});
