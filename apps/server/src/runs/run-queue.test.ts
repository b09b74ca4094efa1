import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { createRunQueue } from './run-queue.ts';

const code = (expected: string) => (error: unknown) => error instanceof ApiError && error.code === expected;

/** Work that ends when told. */
function work(log: string[], name: string) {
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    end: () => end(),
    run: async () => {
      log.push(name);
      await ended;
    },
  };
}

test('so many run at a time, in the order they came; the next is refused with a time to come back', async () => {
  const queue = createRunQueue({ running: 1, waiting: 1 });
  const log: string[] = [];
  const [a, b] = [work(log, 'a'), work(log, 'b')];
  const first = queue.reserve().start(a.run);
  const second = queue.reserve().start(b.run);
  await Promise.resolve();
  assert.deepEqual(log, ['a']);
  assert.throws(
    () => queue.reserve(),
    (error) => code('too_many_runs')(error) && error instanceof ApiError && error.retryAfterSeconds !== null,
  );
  a.end();
  await first;
  assert.equal(queue.size, 1);
  b.end();
  await second;
  assert.deepEqual(log, ['a', 'b']);
});

test('a place given up, or whose work failed, is free again', async () => {
  const queue = createRunQueue({ running: 1, waiting: 0 });
  queue.reserve().giveUp();
  await assert.rejects(
    queue.reserve().start(async () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await queue.reserve().start(async () => 7), 7);
});

test('a closed queue gives no place and is drained when the last run has ended', async () => {
  const queue = createRunQueue({ running: 1, waiting: 1 });
  const a = work([], 'a');
  const run = queue.reserve().start(a.run);
  let drained = false;
  const done = queue.drained.then(() => {
    drained = true;
  });
  queue.close();
  assert.throws(() => queue.reserve(), code('shutting_down'));
  await Promise.resolve();
  assert.equal(drained, false);
  a.end();
  await run;
  await done;
  const empty = createRunQueue({ running: 1, waiting: 1 });
  empty.close();
  await empty.drained;
});
