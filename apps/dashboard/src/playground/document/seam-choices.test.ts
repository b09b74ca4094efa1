import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seamsOf, takeAlternative } from './branching.ts';
import { type Draft, newDraft, nodeOf, textOf } from './draft.ts';
import { editText } from './edit-text.ts';
import { acceptRun, appendTokens, beginGeneration, endGeneration } from './generation.ts';
import { branchWith, parametersOf, seamChoices } from './seam-choices.ts';
import { takeInText } from './take-in-text.ts';

const TOP = [
  { id: 1, label: ' boy', logprob: -1, processed: -0.5 },
  { id: 2, label: ' girl', logprob: -1.5, processed: -1 },
  { id: 3, label: ' man', logprob: -3, processed: null },
];
const typed = (text: string): Draft => editText(newDraft('d', {}), { start: 0, end: 0, insert: text }, 0);

/** A generation of the first alternative and one further token. */
function generated(key: string, draft: Draft, parent: string): Draft {
  const begun = beginGeneration(draft, parent, { key, parameters: { top_k: 2 }, seed: 7, sequences: 1 });
  const tokens = [
    { id: 1, label: ' boy', logprob: -1, processed: -0.5, top: TOP },
    { id: 9, label: ' who', logprob: -2, processed: -2, top: [] },
  ];
  const arrived = appendTokens(acceptRun(begun, key, `run_${key}`), [{ key, sequence: 0, text: ' boy who', tokens }]);
  return endGeneration(arrived, { key, finishes: ['length'], failure: null });
}

test('a seam lists its branches by their first token, and the tokens that none begins with', () => {
  const drawn = generated('a', typed('a little'), 'n1');
  const draft = takeAlternative(drawn, drawn.here, 0, TOP[1] ?? assert.fail());
  const [seam] = seamsOf(draft);
  const choices = seamChoices(draft, seam?.node ?? '');
  assert.deepEqual(
    choices.branches.map(({ first, text, mean, isHere }) => [
      first?.id,
      first?.logprob,
      first?.processed,
      text,
      mean,
      isHere,
    ]),
    [
      [1, -1, -0.5, 'boy who', -1.5, false],
      [2, -1.5, -1, 'girl', -1.5, true],
    ],
  );
  assert.deepEqual(choices.others, [TOP[2]]);
  assert.equal(choices.reported?.node, drawn.here);
  assert.deepEqual(parametersOf(draft, nodeOf(draft, draft.here)), { top_k: 2 }, 'of the run that reported it');
});

test('a typed branch has no first token, and an edit before makes the figures those of another text', () => {
  const drawn = generated('a', typed('a little'), 'n1');
  const edited = editText(drawn, { start: 'a little'.length, end: 'a little boy'.length, insert: ' dog' }, 9000);
  assert.equal(textOf(edited), 'a little dog who');
  const { branches, others } = seamChoices(edited, seamsOf(edited)[0]?.node ?? '');
  assert.deepEqual(
    branches.map(({ first, text }) => [first?.label, text]),
    [
      [' boy', 'boy who'],
      [undefined, 'dog who'],
    ],
  );
  assert.deepEqual(others, TOP.slice(1));
  const moved = nodeOf(edited, edited.here);
  assert.deepEqual([moved.isMoved, seamChoices(edited, moved.id).branches[0]?.first], [true, null]);
});

test('of several branches with one first token the newest is the one to go to', () => {
  const first = generated('a', typed('a little'), 'n1');
  const draft = generated('b', first, 'n1');
  assert.equal(branchWith(draft, first.here, 1), draft.here);
  assert.equal(branchWith(draft, first.here, 2), null);
  assert.equal(branchWith(draft, draft.root, 1), null);
});

test('a token taken in typed text keeps what else could have come', () => {
  const draft = takeInText(typed('a little dog'), 'a little'.length, TOP[1] ?? assert.fail(), TOP);
  const { branches, others } = seamChoices(draft, draft.here);
  assert.deepEqual(
    branches.map(({ text }) => text),
    ['dog', 'girl'],
  );
  assert.deepEqual(others, [TOP[0], TOP[2]]);
});
