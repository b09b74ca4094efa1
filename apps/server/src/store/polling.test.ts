import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPolling } from './polling.ts';

const unexpected = (error: unknown): void => assert.fail(String(error));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('skips a round that is due while another one runs', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const ends: (() => void)[] = [];
  let rounds = 0;
  const polling = startPolling(
    () => {
      rounds++;
      return new Promise<void>((resolve) => ends.push(resolve));
    },
    { everyMs: 10, onError: unexpected },
  );
  assert.equal(rounds, 0);
  t.mock.timers.tick(35);
  assert.equal(rounds, 1);
  ends.pop()?.();
  await turn();
  t.mock.timers.tick(5);
  assert.equal(rounds, 2);
  ends.pop()?.();
  await polling.stop();
});

test('stop starts no more rounds and waits for the one under way', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let end = (): void => {};
  let rounds = 0;
  const polling = startPolling(
    () => {
      rounds++;
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    },
    { everyMs: 10, onError: unexpected },
  );
  t.mock.timers.tick(10);
  let isStopped = false;
  const stopped = polling.stop().then(() => {
    isStopped = true;
  });
  await turn();
  assert.equal(isStopped, false);
  end();
  await stopped;
  await polling.stop();
  t.mock.timers.tick(100);
  assert.equal(rounds, 1);
});

test('a round that fails is reported, and the next one runs', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const failures: unknown[] = [];
  let rounds = 0;
  const polling = startPolling(() => Promise.reject(new Error(`round ${++rounds}`)), {
    everyMs: 10,
    onError: (error) => failures.push(error),
  });
  for (let i = 0; i < 2; i++) {
    t.mock.timers.tick(10);
    await turn();
  }
  await polling.stop();
  assert.deepEqual(failures.map(String), ['Error: round 1', 'Error: round 2']);
});
