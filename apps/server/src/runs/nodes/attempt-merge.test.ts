import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEvent, RunGet } from '@gptj-cloud/protocol';
import type { NumberedEvent } from '../run-events.ts';
import { createAttemptMerge } from './attempt-merge.ts';

// The merge reads only the state of a run.
const run = (state: string): RunEvent => ({ type: 'run', run: { run_state: state } as RunGet });
const token = (text: string, index = 0): RunEvent => ({
  type: 'token',
  index,
  text,
  tokens: [...text].map((letter) => letter.charCodeAt(0)),
});

/** Pushes the events of one attempt after another; what is passed on, in short. */
function merged(...attempts: readonly (readonly RunEvent[])[]): readonly string[] {
  const merge = createAttemptMerge();
  return attempts
    .flatMap((events, attempt) => events.map((event, at): NumberedEvent => ({ id: `${attempt}-${at + 1}`, event })))
    .flatMap((event) => merge.push(event))
    .map(({ id, event }) => `${id} ${event.type === 'token' ? `${event.index}${event.text}` : event.type}`);
}

const RUNNING = run('running');
const COMPLETE = run('complete');

test('the events of a single attempt are passed on as they are', () => {
  assert.deepEqual(merged([run('received'), RUNNING, token('a'), token('b'), COMPLETE]), [
    '0-1 run',
    '0-2 run',
    '0-3 0a',
    '0-4 0b',
    '0-5 run',
  ]);
});

test('an attempt that repeats the tokens already sent goes on where the last one ended', () => {
  assert.deepEqual(merged([RUNNING, token('a'), token('b')], [RUNNING, token('a'), token('b'), token('c'), COMPLETE]), [
    '0-1 run',
    '0-2 0a',
    '0-3 0b',
    '1-4 0c',
    '1-5 run',
  ]);
});

test('an attempt that sends its tokens in other portions goes on with the rest of a portion', () => {
  assert.deepEqual(merged([RUNNING, token('a'), token('b')], [RUNNING, token('abc'), token('d'), COMPLETE]), [
    '0-1 run',
    '0-2 0a',
    '0-3 0b',
    '1-2 0c',
    '1-3 0d',
    '1-4 run',
  ]);
});

test('an attempt that differs is sent from its beginning, with the event that discards the earlier tokens', () => {
  assert.deepEqual(merged([RUNNING, token('a'), token('b')], [RUNNING, token('a'), token('x'), COMPLETE]), [
    '0-1 run',
    '0-2 0a',
    '0-3 0b',
    '1-1 run',
    '1-2 0a',
    '1-3 0x',
    '1-4 run',
  ]);
});

test('every sequence must have been repeated', () => {
  const first = [RUNNING, token('a', 0), token('p', 1), token('b', 0)];
  const again = [RUNNING, token('ab', 0), token('p', 1), token('q', 1)];
  assert.deepEqual(merged(first, again).slice(4), ['1-4 1q']);
  assert.deepEqual(merged(first, [RUNNING, token('ab', 0), token('x', 1)]).slice(4), ['1-1 run', '1-2 0ab', '1-3 1x']);
});

test('an attempt that ends before it has repeated everything is sent whole, a failed one as its end alone', () => {
  const first = [RUNNING, token('a'), token('b')];
  assert.deepEqual(merged(first, [RUNNING, token('a'), COMPLETE]).slice(3), ['1-1 run', '1-2 0a', '1-3 run']);
  assert.deepEqual(merged(first, [RUNNING, token('a'), run('failed')]).slice(3), ['1-3 run']);
});

test('an attempt that is lost while it repeats is followed by the next', () => {
  const first = [RUNNING, token('a'), token('b')];
  assert.deepEqual(merged(first, [RUNNING, token('a')], [RUNNING, token('a'), token('b'), token('c')]).slice(3), [
    '2-4 0c',
  ]);
});

test('a reader that came in later than the first token, and one of a beam search, get the next attempt whole', () => {
  assert.deepEqual(merged([token('b')], [RUNNING, token('a')]), ['0-1 0b', '1-1 run', '1-2 0a']);
  const beams: RunEvent = { type: 'beams', step: 0, candidates: [] };
  assert.deepEqual(merged([RUNNING, token('a'), beams], [RUNNING, token('a'), beams]).slice(3), [
    '1-1 run',
    '1-2 0a',
    '1-3 beams',
  ]);
});
