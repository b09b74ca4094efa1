import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnexpectedReplyError } from './errors.ts';
import { createSseParser, type SseEvent } from './sse-parser.ts';

const TEXT =
  ': hello\n\nid: 1\nevent: token\ndata: {"a":1}\n\r\nevent: token\r\ndata:  two\r\ndata:lines\r\rdata\n\nid: 2\n\nevent: x\n\ndata: 3\n\ndata: unfinished\n';
const EVENTS: readonly SseEvent[] = [
  { id: '1', type: 'token', data: '{"a":1}' },
  { id: '1', type: 'token', data: ' two\nlines' },
  { id: '1', type: 'message', data: '' },
  { id: '2', type: 'message', data: '3' },
];

test('gives the same events for pieces of every size', () => {
  for (let size = 1; size <= TEXT.length; size++) {
    const parser = createSseParser();
    const events: SseEvent[] = [];
    for (let at = 0; at < TEXT.length; at += size)
      events.push(...parser.push(TEXT.slice(at, at + size)), ...parser.push(''));
    assert.deepEqual(events, EVENTS, `pieces of ${size}`);
  }
});

test('ignores an id with a NUL character and fields with other names', () => {
  const parser = createSseParser();
  assert.deepEqual(parser.push('id: 1\nid: 2\0\nretry: 5\nx\ndata: a\n\n'), [{ id: '1', type: 'message', data: 'a' }]);
});

test('bounds the characters of a line, of an event of many lines and of names', () => {
  assert.throws(() => createSseParser(10).push('data: 12345'), UnexpectedReplyError);
  const lines = createSseParser(10);
  lines.push('data\n');
  lines.push('data\n');
  assert.throws(() => lines.push('data\n'), UnexpectedReplyError);
  assert.throws(() => createSseParser(10).push('event: 12345'), UnexpectedReplyError);
});

test('does not count comments and complete events', () => {
  const parser = createSseParser(20);
  for (let count = 0; count < 100; count++) {
    assert.deepEqual(parser.push(': still here\n'), []);
    assert.equal(parser.push('event: e\ndata: 1\n\n').length, 1);
    assert.deepEqual(parser.push('event: f\n'), []);
    assert.deepEqual(parser.push('id: 123\n'), []);
    assert.deepEqual(parser.push('\n'), []);
  }
});
