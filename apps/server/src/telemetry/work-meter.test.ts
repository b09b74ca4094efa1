import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { chargeWork, measureWork } from './work-meter.ts';

function meter() {
  const total = { ms: 0 };
  return {
    total,
    payer: 'a',
    share: 1,
    add(ms: number) {
      total.ms += ms;
    },
  };
}

function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('adds the time of every part of a request to its meter, and of no other', async () => {
  const slow = meter();
  const quick = meter();
  const serve = (own: ReturnType<typeof meter>, ms: number) =>
    measureWork(own, async () => {
      busy(ms);
      await null;
      busy(ms);
      await turn();
      busy(ms);
      await new Promise<void>((resolve) => setTimeout(resolve, 1).unref());
      busy(ms);
    });
  const kept = setInterval(() => {}, 1000);
  await Promise.all([serve(slow, 20), serve(quick, 0), serve(slow, 20)]);
  clearInterval(kept);
  busy(50);
  await turn();
  assert.ok(slow.total.ms >= 160, `${slow.total.ms} ms`);
  assert.ok(quick.total.ms < slow.total.ms / 4, `${quick.total.ms} ms beside ${slow.total.ms} ms`);
});

test('adds work of other threads to the request that waits for it', async () => {
  const own = meter();
  await measureWork(own, async () => {
    await turn();
    chargeWork(5000);
  });
  assert.ok(own.total.ms >= 5000);
  chargeWork(5000);
  assert.ok(own.total.ms < 10_000);
});
