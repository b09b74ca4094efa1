import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeOnEveryStore } from '../testing/test-store.ts';
import { openStoreClock } from './store-clock.ts';

describeOnEveryStore('the clock of a store', (store) => {
  test('has the time of the database, and follows the monotonic clock of the process', async () => {
    let monotonic = 5_000;
    const before = Date.now();
    const clock = await openStoreClock(store().db, { monotonic: () => monotonic, everyMs: null });
    const first = clock.now().getTime();
    assert.ok(first >= before - 1 && first <= Date.now() + 1, `${first} is not after ${before}`);
    monotonic += 90_000;
    assert.equal(clock.now().getTime(), first + 90_000);
    await clock.adjust();
    assert.ok(clock.now().getTime() < first + 90_000, 'the monotonic clock was fast');
    await clock.close();
  });

  test('takes no time from a look during which the process stood still', async () => {
    let [time, stepMs] = [0, 0];
    const monotonic = (): number => {
      time += stepMs;
      return time;
    };
    const clock = await openStoreClock(store().db, { monotonic, everyMs: null });
    const before = clock.now().getTime();
    stepMs = 600_000;
    await clock.adjust();
    stepMs = 0;
    assert.equal(clock.now().getTime(), before + 1_200_000);
    await clock.close();
  });
});
