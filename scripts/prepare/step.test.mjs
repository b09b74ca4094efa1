import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { step } from './step.mjs';

test('says what begins, how far it is and what it took, and nothing about what ends at once', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  context.mock.method(performance, 'now', () => 0);
  const print = mock.fn();
  const lines = () => print.mock.calls.map(({ arguments: [line] }) => line);
  assert.equal(await step('Short', async () => 1, { print }), 1);
  context.mock.timers.tick(60_000);
  assert.deepEqual(lines(), []);
  let end;
  const long = step('Long', () => new Promise((resolve) => (end = resolve)), { print, detail: () => '3 packages' });
  context.mock.timers.tick(5000);
  end();
  await long;
  context.mock.timers.tick(60_000);
  assert.deepEqual(lines(), ['Long …', 'Long … 0.0 s, 3 packages', 'Long: done in 0.0 s']);
});

test('a failed step says nothing more', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const print = mock.fn();
  await assert.rejects(
    step('Step', () => Promise.reject(new Error('no space')), { print }),
    /no space/,
  );
  context.mock.timers.tick(60_000);
  assert.equal(print.mock.callCount(), 0);
});
