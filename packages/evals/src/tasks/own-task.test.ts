import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOwnTask, textTask } from './own-task.ts';

test('an empty text is refused, as it has no perplexity', () => {
  assert.throws(() => textTask('', 'empty.txt'), {
    code: 'data_invalid',
    message: 'empty.txt line 1: text: expected at least one character, got ""',
  });
});

test('a byte order mark and carriage returns do not change the documents', () => {
  const { documents } = readOwnTask('\uFEFF{"text": "one"}\r\n{"text": "two"}\r\n', 'texts.jsonl');
  assert.deepEqual(
    documents.map(({ requests: [request] }) => request?.continuation),
    ['one', 'two'],
  );
});
