import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choiceIn, defined, textIn } from './search-values.ts';

test('texts and choices are read from an address', () => {
  const raw = { q: 'king', n: 7, state: 'failed' };
  assert.equal(textIn(raw, 'q'), 'king');
  assert.equal(textIn(raw, 'n'), '7');
  assert.equal(choiceIn(raw, 'state', ['failed', 'complete']), 'failed');
});

test('a value that the page does not know is left out', () => {
  const raw = { q: '', n: -1, state: 'lost', list: ['a'] };
  assert.equal(textIn(raw, 'q'), undefined);
  assert.equal(textIn(raw, 'list'), undefined);
  assert.equal(choiceIn(raw, 'state', ['failed']), undefined);
});

test('absent fields are no fields', () => {
  assert.deepEqual(defined({ a: 1, b: undefined }), { a: 1 });
});
