import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDraft, nodeOf, textOf } from './draft.ts';
import { editText } from './edit-text.ts';
import { promptOf } from './prompt.ts';
import { takePath } from './take-path.ts';

test('tokens of a search become a branch whose exact ids the next prompt has', () => {
  const typed = editText(newDraft('d', {}), { start: 0, end: 0, insert: 'Once' }, 0);
  const start = typed.here;
  const taken = [
    { id: 1, label: ' a', logprob: -1 },
    { id: 2, label: 'bytes:\\xf0\\x9f', logprob: null },
    { id: 3, label: 'bytes:\\x98\\x80', logprob: -2 },
    { id: 4, label: '!', logprob: -3 },
  ];
  const draft = takePath(typed, start, taken);
  assert.equal(textOf(draft), 'Once a😀!');
  const { kind, parent, tokens } = nodeOf(draft, draft.here);
  assert.deepEqual([kind, parent], ['taken', start]);
  assert.deepEqual(
    tokens?.map(({ text }) => text),
    [' a', '', '😀', '!'],
  );
  assert.deepEqual(promptOf(draft), { text: 'Once', tokens: [1, 2, 3, 4], tokenText: ' a😀!' });
  const half = takePath(typed, start, taken.slice(0, 2));
  assert.equal(textOf(half), 'Once a');
  assert.deepEqual(promptOf(half).tokens, [1, 2]);
});
