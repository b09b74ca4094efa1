import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batched } from './batched.ts';

/** A `run` whose rounds the test ends. */
function heldRun() {
  const batches: { readonly items: readonly number[]; resume(answers: number[] | Error): void }[] = [];
  const run = (items: readonly number[]): Promise<readonly number[]> =>
    new Promise((resolve, reject) => {
      batches.push({ items, resume: (answers) => (answers instanceof Error ? reject(answers) : resolve(answers)) });
    });
  return { batches, run };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('calls of one turn, and calls that arrive during a round, share rounds of at most max calls', async () => {
  const { batches, run } = heldRun();
  const call = batched('test', run, { max: 3 });
  const answers = Promise.all([1, 2, 3, 4].map(call));
  await turn();
  const fifth = call(5);
  for (const expected of [
    [1, 2, 3],
    [4, 5],
  ]) {
    await turn();
    await turn();
    const batch = batches.shift();
    assert.deepEqual(batch?.items, expected);
    assert.equal(batches.length, 0);
    batch?.resume(expected.map((n) => n * 10));
  }
  assert.deepEqual(await answers, [10, 20, 30, 40]);
  assert.equal(await fifth, 50);
  await turn();
  const later = call(6);
  await turn();
  assert.deepEqual(batches[0]?.items, [6]);
  batches[0]?.resume([60]);
  assert.equal(await later, 60);
});

test('a failed round, or too few answers, rejects the calls of that round alone', async () => {
  const { batches, run } = heldRun();
  const call = batched('test', run);
  const first = Promise.allSettled([call(1)]);
  await turn();
  const others = Promise.allSettled([2, 3].map(call));
  batches[0]?.resume(new Error('boom'));
  await turn();
  await turn();
  batches[1]?.resume([20]);
  const answers = [...(await first), ...(await others)];
  const states = answers.map((one) => (one.status === 'rejected' ? String(one.reason) : one.value));
  assert.deepEqual(states, [
    'Error: boom',
    'RangeError: expected 2 answers, got 1',
    'RangeError: expected 2 answers, got 1',
  ]);
  const next = call(4);
  await turn();
  batches[2]?.resume([40]);
  assert.equal(await next, 40);
});

test('with retryIndividually, each call of a failed round is retried alone', async () => {
  const sizes: number[] = [];
  const call = batched(
    'test',
    async (items: readonly number[]) => {
      sizes.push(items.length);
      if (items.includes(3)) throw new Error('three');
      return items.map((n) => n * 10);
    },
    { retryIndividually: true },
  );
  const answers = await Promise.allSettled([1, 2, 3, 4].map(call));
  const states = answers.map((one) => (one.status === 'rejected' ? String(one.reason) : one.value));
  assert.deepEqual(states, [10, 20, 'Error: three', 40]);
  assert.deepEqual(sizes, [4, 1, 1, 1, 1]);
});
