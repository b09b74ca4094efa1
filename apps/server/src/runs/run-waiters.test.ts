import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunGet } from '@gptj-cloud/protocol';
import { createRunEvents } from './run-events.ts';
import { createRunWaiters } from './run-waiters.ts';

/** The last event of a run's log when its end is reported. */
async function lastEvent(ownsStore: boolean, endedHere: boolean): Promise<string> {
  const events = createRunEvents({ name: 'p', now: () => 0 });
  const run = { id: 'r', run_state: 'complete' } as RunGet;
  const waiters = createRunWaiters({
    queries: { get: async () => run } as never,
    accepted: { take: () => null } as never,
    events,
    ownsStore,
    worker: () => ({ stopped: false, watch() {}, unwatch() {} }),
    logger: { error: assert.fail } as never,
  });
  events.open('r');
  waiters.onRunEnded({ id: 'r', projectId: 'project', endedHere });
  await waiters.passedOn();
  assert.equal(events.isOpen('r'), false);
  const reader = events.read('r', null);
  const { event } = (await reader?.next()) ?? assert.fail();
  return event.type === 'error' ? event.code : event.type;
}

test('the log of a run has its end where the run was executed, and where no other process could have executed it', async () => {
  assert.equal(await lastEvent(false, true), 'run');
  assert.equal(await lastEvent(true, false), 'run');
});

test('the log of a run that ended elsewhere sends its readers on: it lacks the tokens', async () => {
  assert.equal(await lastEvent(false, false), 'stream_ended');
});

test('a run that this process lost and claims again has a whole log of its next execution', async () => {
  const events = createRunEvents({ name: 'p', now: () => 0 });
  const { answer, answered } = later<RunGet>();
  const waiters = createRunWaiters({
    queries: { get: () => answered } as never,
    accepted: { take: () => null } as never,
    events,
    ownsStore: false,
    worker: () => ({ stopped: false, watch() {}, unwatch() {} }),
    logger: { error: assert.fail } as never,
  });
  waiters.waitForNextEnd('project', 'r');
  events.open('r');
  waiters.onRunEnded({ id: 'r', projectId: 'project', endedHere: false });
  events.open('r');
  events.publish('r', { type: 'token', index: 0, text: 'a', tokens: [1] });
  answer({ id: 'r', run_state: 'running' } as RunGet);
  await waiters.passedOn();
  events.publish('r', { type: 'token', index: 0, text: 'b', tokens: [2] });
  assert.equal(events.isOpen('r'), true);
  const reader = events.read('r', null);
  const texts = [await reader?.next(), await reader?.next()].map((found) =>
    found?.event.type === 'token' ? found.event.text : null,
  );
  assert.deepEqual(texts, ['a', 'b']);
});

function later<Value>(): { readonly answered: Promise<Value>; readonly answer: (value: Value) => void } {
  let answer: (value: Value) => void = () => assert.fail();
  const answered = new Promise<Value>((resolve) => {
    answer = resolve;
  });
  return { answered, answer: (value) => answer(value) };
}
