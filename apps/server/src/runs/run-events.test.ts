import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEvent } from '@gptj-cloud/protocol';
import { createRunEvents, type EventReader } from './run-events.ts';

const token = (text: string): RunEvent => ({ type: 'token', index: 0, text, tokens: [] });
const text = (event: RunEvent): string => (event.type === 'token' ? event.text : event.type);

async function rest(reader: EventReader | null): Promise<readonly string[]> {
  const seen: string[] = [];
  for (let next = await reader?.next(); next; next = await reader?.next())
    seen.push(`${next.id.replace(/^pn\d+-/, '')}${text(next.event)}`);
  return seen;
}

test('every reader gets every event once, in order, however late it began', async () => {
  const events = createRunEvents({ name: 'p', now: () => 0 });
  events.open('r');
  events.publish('r', token('a'));
  const early = rest(events.read('r', null));
  events.publish('r', token('b'));
  const resumed = rest(events.read('r', 'pn0-1'));
  events.publish('r', token('c'));
  events.end('r');
  events.publish('r', token('too late'));
  assert.deepEqual(await early, ['1a', '2b', '3c']);
  assert.deepEqual(await resumed, ['2b', '3c']);
  assert.deepEqual(await rest(events.read('r', 'pn0-2')), ['3c']);
  assert.deepEqual(await rest(events.read('r', 'pn0-99')), []);
  assert.deepEqual(await rest(events.read('r', 'other-2')), ['1a', '2b', '3c']);
  assert.equal(events.read('unknown', null), null);
});

test('the stream of a reader that falls too far behind ends with an error; the others go on', async () => {
  const events = createRunEvents({ name: 'p', now: () => 0, keptEvents: 2 });
  events.open('r');
  const slow = events.read('r', null);
  for (const letter of 'abc') events.publish('r', token(letter));
  assert.deepEqual(await rest(slow), ['0error']);
  events.end('r');
  assert.deepEqual(await rest(events.read('r', 'pn0-1')), ['2b', '3c']);
});

test('events are dropped beyond a number of log-probabilities, of one run and of all ended ones', async () => {
  const events = createRunEvents({ name: 'p', now: () => 0, keptLogprobs: 4, keptLogprobsOfEnded: 5 });
  const likely = (text: string): RunEvent => ({
    type: 'token',
    index: 0,
    text,
    tokens: [1],
    logprobs: [{ token: 1, text, logprob: -1, top: [[1, -1, text]] }],
  });
  for (const id of ['first', 'second']) {
    events.open(id);
    for (const letter of 'abc') events.publish(id, likely(letter));
    events.end(id);
  }
  assert.equal(events.read('first', null), null);
  assert.deepEqual(await rest(events.read('second', 'pn1-1')), ['2b', '3c']);
  assert.deepEqual(await rest(events.read('second', null)), ['0error']);
});

test('closing a reader ends its pending read', async () => {
  const events = createRunEvents({ name: 'p', now: () => 0 });
  events.open('r');
  const reader = events.read('r', null);
  const next = reader?.next();
  assert.equal(events.readers('r'), 1);
  reader?.close();
  assert.equal(await next, null);
  assert.equal(events.readers('r'), 0);
});

test('a run that is executed again has another log, also where its first one was dropped', async () => {
  const events = createRunEvents({ name: 'p', now: () => 0, keptRuns: 1 });
  const execute = (id: string, letters: string): void => {
    events.open(id);
    for (const letter of letters) events.publish(id, token(letter));
    events.end(id);
  };
  execute('r', 'ab');
  const first = await events.read('r', null)?.next();
  execute('r', 'ab');
  assert.deepEqual(await rest(events.read('r', first?.id ?? null)), ['1a', '2b']);
  execute('other', '');
  assert.equal(events.read('r', null), null);
  execute('r', 'abc');
  assert.deepEqual(await rest(events.read('r', first?.id ?? null)), ['1a', '2b', '3c']);
});

test('events of ended runs are dropped after a time, or when there are too many', () => {
  let now = 0;
  const events = createRunEvents({ name: 'p', now: () => now, keptRuns: 2, keptMs: 100 });
  for (const id of ['a', 'b', 'c']) {
    events.open(id);
    events.end(id);
  }
  assert.deepEqual([events.read('a', null) === null, events.read('b', null) === null], [true, false]);
  now = 100;
  events.open('d');
  assert.deepEqual([events.read('b', null), events.read('c', null)], [null, null]);
  assert.ok(events.isOpen('d'));
});
