import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repeat } from './repeat.ts';

test('what is due while the last time goes on is left out, until that is over', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const waiting: (() => void)[] = [];
  let began = 0;
  const repetition = repeat(() => {
    began++;
    return new Promise((resolve) => waiting.push(resolve));
  }, 10);
  assert.equal(began, 0);
  t.mock.timers.tick(35);
  assert.equal(began, 1);
  waiting.pop()?.();
  await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(5);
  assert.equal(began, 2);
  waiting.pop()?.();
  await new Promise((resolve) => setImmediate(resolve));
  repetition.stop();
  repetition.stop();
  t.mock.timers.tick(100);
  assert.equal(began, 2);
});
