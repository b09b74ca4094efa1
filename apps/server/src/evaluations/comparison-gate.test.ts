import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { until } from '../testing/until.ts';
import { createComparisonGate } from './comparison-gate.ts';

const LIMITS = { running: 3, runningOfProject: 2, waiting: 4, waitingOfProject: 3 };

/** A gate, the comparisons that have begun, in their order, and the ends of those. */
function openGate() {
  const gate = createComparisonGate(LIMITS);
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const compare = (name: string): Promise<string> =>
    gate.pass(name.slice(0, 1), () => {
      begun.push(name);
      return new Promise((resolve, reject) =>
        ends.set(name, (error) => (error === undefined ? resolve(name) : reject(error))),
      );
    });
  return { compare, begun, end: (name: string, error?: Error) => ends.get(name)?.(error) };
}

const refused = (code: string) => (error: unknown) =>
  error instanceof ApiError && error.code === code && error.retryAfterSeconds === 5;

test('a project has two comparisons under way, and those of other projects do not wait behind it', async () => {
  const { compare, begun, end } = openGate();
  const done = ['a1', 'a2', 'a3', 'b1', 'b2'].map(compare);
  assert.deepEqual(begun, ['a1', 'a2', 'b1']);
  end('b1');
  assert.equal(await done[3], 'b1');
  assert.deepEqual(begun.slice(3), ['b2']);
  // The place of a comparison that fails is free as well.
  end('a2', new Error('x'));
  await assert.rejects(done[1] ?? Promise.resolve(), /^Error: x$/);
  assert.deepEqual(begun.slice(4), ['a3']);
  for (const name of ['a1', 'a3', 'b2']) end(name);
  await Promise.all([done[0], done[2], done[4]]);
  const next = compare('a4');
  assert.deepEqual(begun.slice(5), ['a4']);
  end('a4');
  await next;
});

test('comparisons beyond the queue are refused with a time to wait', async () => {
  const { compare, begun, end } = openGate();
  const done = ['a1', 'a2', 'a3', 'a4', 'a5'].map(compare);
  await assert.rejects(compare('a6'), refused('too_many_requests_at_once'));
  done.push(...['b1', 'b2'].map(compare));
  await assert.rejects(compare('c1'), refused('server_busy'));
  for (let at = 0; at < done.length; at++) {
    end(begun[at] ?? '');
    await until(() => begun.length === Math.min(done.length, at + 4));
  }
  assert.equal((await Promise.all(done)).length, 7);
});
