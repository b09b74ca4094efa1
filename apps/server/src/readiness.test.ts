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
  assert.equal(await isReady(), true);
  assert.deepEqual(logged(), []);
});

test('is not ready when a check fails, and logs which one', async () => {
  const { isReady, logged } = openReadiness({
    database: async () => 1,
    engine: () => Promise.reject(new Error('ended')),
  });
  assert.equal(await isReady(), false);
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
  t.mock.timers.tick(2_000);
  assert.deepEqual(await Promise.all(replies), [false, false]);
  assert.equal(calls, 1);
  assert.deepEqual(logged()[0], ['not ready: no answer in time', 'engine']);
  const joined = isReady();
  answer();
  assert.equal(await joined, true);
  const fresh = isReady();
  assert.equal(calls, 2);
  answer();
  assert.equal(await fresh, true);
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
  t.mock.timers.tick(2_000);
  assert.equal((await reply).status, 503);
});
