import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineStats } from '@gptj-cloud/engine';
import { createEngineMonitor } from './engine-monitor.ts';

const STATS: EngineStats = {
  evaluations: 0,
  busyMs: 0,
  evaluatedTokens: 0,
  batchTokens: [],
  drafts: { lookup: { drafted: 6, accepted: 4 }, model: { drafted: 10, accepted: 7 } },
  active: 1,
  waiting: 2,
  freeCells: 3,
  cacheCells: 8,
  prefixes: 0,
  prefixLabels: [],
  oldestWaitingMs: 40,
  memoryBytes: 5,
};

function monitored() {
  let ms = 0;
  let busyMs = 0;
  let failure: Error | null = null;
  let asked = 0;
  const monitor = createEngineMonitor({
    engine: {
      async stats() {
        asked++;
        if (failure !== null) throw failure;
        return { ...STATS, busyMs };
      },
    },
    clock: () => new Date(ms),
    now: () => ms,
  });
  return {
    monitor,
    asked: () => asked,
    work(elapsedMs: number, evaluatedMs: number, tokens: number) {
      ms += elapsedMs;
      busyMs += evaluatedMs;
      monitor.countTokens(tokens);
    },
    fail(error: Error | null) {
      failure = error;
    },
    restart() {
      busyMs = 0;
    },
  };
}

test('measures tokens a second and the busy part of each interval, oldest first, and keeps sixty', async () => {
  const { monitor, work, restart } = monitored();
  await monitor.sample();
  work(5000, 2500, 100);
  await monitor.sample();
  work(5000, 5000, 50);
  await monitor.sample();
  restart();
  work(5000, 100, 0);
  await monitor.sample();
  const { history } = await monitor.status();
  assert.deepEqual(
    history.map(({ at, tokensPerSecond, busy }) => [at.getTime(), tokensPerSecond, busy]),
    [
      [5000, 20, null],
      [10_000, 10, 1],
      [15_000, 0, null],
    ],
  );
  for (let i = 0; i < 100; i++) {
    work(5000, 0, 0);
    await monitor.sample();
  }
  const after = (await monitor.status()).history;
  assert.equal(after.length, 60);
  assert.equal(after.at(-1)?.at.getTime(), 515_000);
});

test('asks the engine once for all who ask at the same time', async () => {
  const { monitor, asked } = monitored();
  await Promise.all([monitor.stats(), monitor.status(), monitor.check()]);
  assert.equal(asked(), 1);
  await monitor.stats();
  assert.equal(asked(), 2);
});

test('reports since when the engine does not answer, and why', async () => {
  const { monitor, work, fail } = monitored();
  work(1000, 0, 0);
  assert.deepEqual((await monitor.status()).since, new Date(0));
  fail(new Error('the engine process ended'));
  await assert.rejects(monitor.check(), /process ended/);
  work(1000, 0, 0);
  const down = await monitor.status();
  assert.deepEqual([down.isReady, down.since, down.reason], [false, new Date(1000), 'the engine process ended']);
  assert.equal(down.stats, null);
  fail(null);
  const up = await monitor.status();
  assert.deepEqual([up.isReady, up.since, up.reason], [true, new Date(2000), null]);
});
