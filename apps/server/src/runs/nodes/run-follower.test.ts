import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import type { RunEvent, RunGet } from '@gptj-cloud/protocol';
import { createRunEvents, type EventReader, type NumberedEvent } from '../run-events.ts';
import type { RunPlace } from './node-store.ts';
import { createRunFollower } from './run-follower.ts';

const run = (state: RunGet['run_state']): RunEvent => ({ type: 'run', run: { run_state: state } as RunGet });
const token = (text: string): RunEvent => ({
  type: 'token',
  index: 0,
  text,
  tokens: [...text].map((letter) => letter.charCodeAt(0)),
});
const MOVED_ON: RunEvent = { type: 'error', code: 'stream_ended', message: 'the run moved' };

function readerOf(attempt: number, events: readonly RunEvent[]): EventReader {
  const left = events.map((event, i): NumberedEvent => ({ id: `${attempt}-${i}`, event }));
  return { next: async () => left.shift() ?? null, close() {} };
}

/** Follows a run whose node `a` has these logs, one after the other; the run ends between the first and the second. */
async function textThrough(logs: readonly (readonly RunEvent[])[]): Promise<{ text: string; opened: number }> {
  let opened = 0;
  const follower = createRunFollower({
    findPlaces: async (ids) =>
      ids.map((): RunPlace => ({ hasEnded: opened > 0, isLogged: true, node: 'a', url: 'http://a' })),
    logger: { warn: () => {} },
    events: { read: () => null, isOpen: () => false },
    node: { id: 'b', sign: () => ({ signature: '' }) as never },
    ownsStore: false,
    isExecuting: () => false,
    waitUntilEnded: async () => ({ run_state: 'complete' }) as RunGet,
    openRemote: async () => ({ type: 'reader', reader: readerOf(opened, logs[opened++] ?? [MOVED_ON]) }),
    pollMs: 1,
  });
  // The follower's own timers keep no process alive.
  const alive = setInterval(() => {}, 1000);
  const reader = follower.follow('project', 'run', null);
  let text = '';
  for (let next = await reader.next(); next !== null; next = await reader.next()) {
    if (next.event.type === 'token') text += next.event.text;
  }
  clearInterval(alive);
  return { text, opened };
}

test('a reader gets the tokens of a run that its node lost, executed again and ended before the reader looked', async () => {
  const first = [run('running'), token('abc'), MOVED_ON];
  const second = [run('running'), token('abc'), token('defgh'), run('complete')];
  assert.deepEqual(await textThrough([first, second]), { text: 'abcdefgh', opened: 2 });
});

test('a reader waits for the end alone where the log of an ended run lacks it', async () => {
  assert.deepEqual(await textThrough([[run('running'), token('abc'), MOVED_ON]]), { text: 'abc', opened: 2 });
});

type Answer = readonly RunEvent[] | 'unreachable';

/** Follows a run that has ended at the living node `a`, which answers so; a log without the run's end breaks. */
async function typesThrough(answers: readonly Answer[]): Promise<readonly string[]> {
  let asked = 0;
  const follower = createRunFollower({
    findPlaces: async (ids) =>
      ids.map((): RunPlace => ({ hasEnded: true, isLogged: true, node: 'a', url: 'http://a' })),
    logger: { warn: () => {} },
    events: { read: () => null, isOpen: () => false },
    node: { id: 'b', sign: () => ({}) as never },
    ownsStore: false,
    isExecuting: () => false,
    waitUntilEnded: async () => ({ run_state: 'complete' }) as RunGet,
    async openRemote() {
      const answer = answers[Math.min(asked++, answers.length - 1)] ?? assert.fail();
      if (answer === 'unreachable') return { type: 'unreachable', reason: 'cut' };
      const log = readerOf(asked, answer);
      return { type: 'reader', reader: { ...log, next: async () => (await log.next()) ?? assert.fail('broken') } };
    },
    pollMs: 1,
  });
  const alive = setInterval(() => {}, 1000);
  const reader = follower.follow('project', 'run', null);
  const seen: string[] = [];
  for (let next = await reader.next(); next !== null; next = await reader.next()) {
    seen.push(next.event.type === 'token' ? next.event.text : next.event.type);
  }
  clearInterval(alive);
  return seen;
}

test('a reader whose connection to the node of an ended run breaks gets the rest when it reaches the node again', async () => {
  const answers: readonly Answer[] = [[run('running'), token('a')], 'unreachable', [token('b'), run('complete')]];
  assert.deepEqual(await typesThrough(answers), ['run', 'a', 'b', 'run']);
});

test('a reader gets the end alone of a run whose living node does not answer, or breaks off at the same event', async () => {
  assert.deepEqual(await typesThrough(['unreachable']), ['run']);
  assert.deepEqual(await typesThrough([[run('running'), token('a')], []]), ['run', 'a', 'run']);
});

test('a reader that still looks for the log when its node stops reads the run that has ended there to its end', async () => {
  const kept = createRunEvents({ name: 'b', now: () => 0 });
  const asked = new EventEmitter();
  const isAsked = once(asked, 'place');
  const isAnswered = once(asked, 'answer');
  const follower = createRunFollower({
    async findPlaces(ids) {
      asked.emit('place');
      await isAnswered;
      // As it was when the store was asked.
      return ids.map((): RunPlace => ({ hasEnded: false, isLogged: true, node: 'b', url: 'http://b' }));
    },
    logger: { warn: () => {} },
    events: kept,
    node: { id: 'b', sign: () => null },
    ownsStore: false,
    isExecuting: () => false,
    waitUntilEnded: async () => assert.fail('the log has the end'),
    openRemote: async () => assert.fail('the log is here'),
    pollMs: 1,
  });
  kept.open('run');
  kept.publish('run', run('received'));
  const reader = follower.follow('project', 'run', null);
  const first = reader.next();
  await isAsked;
  for (const event of [run('running'), token('abc'), run('complete')]) kept.publish('run', event);
  kept.end('run');
  follower.close();
  asked.emit('answer');
  const types: string[] = [];
  for (let next = await first; next !== null; next = await reader.next()) types.push(next.event.type);
  assert.deepEqual(types, ['run', 'run', 'token', 'run']);
  reader.close();
  assert.equal(kept.readers('run'), 0);
});
