import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endAll, randomAction, randomDraft, randomSource } from '../../testing/random-draft.ts';
import { alignText } from './align-text.ts';
import { deleteNode, goToBranch, retryPointOf, seamsOf, siblingOf, starNode, takeAlternative } from './branching.ts';
import { type Draft, type DraftToken, isOpen, newDraft, nodeOf, pathOf, textOf } from './draft.ts';
import { changeBetween, editText } from './edit-text.ts';
import {
  type Arrival,
  acceptRun,
  appendTokens,
  beginGeneration,
  endGeneration,
  restartGeneration,
} from './generation.ts';
import { canRedo, canUndo, redo, undo } from './history.ts';
import { promptOf } from './prompt.ts';
import { DamagedDraftError, headOf, readDraft, storedNode } from './serialise.ts';
import { takeInText } from './take-in-text.ts';
import { rowOf, starredRows, treeRows } from './tree-rows.ts';

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed);

test('undo returns byte for byte to the start, and redo to the end, over random edits and generations', () => {
  for (const seed of SEEDS) {
    const random = randomSource(seed);
    const start = editText(newDraft('d', {}), { start: 0, end: 0, insert: 'I met a traveller' }, 0);
    let draft = start;
    let nowMs = 5000;
    for (let at = 0; at < 120; at++) {
      nowMs += random.next(2000);
      draft = randomAction(draft, random, nowMs, false);
    }
    draft = endAll(draft);
    const texts: string[] = [];
    let back = draft;
    while (back.past.length > start.past.length) {
      texts.push(textOf(back));
      back = undo(back);
    }
    assert.equal(textOf(back), textOf(start), `seed ${seed}`);
    while (canRedo(back)) {
      back = redo(back);
      assert.equal(textOf(back), texts.pop(), `seed ${seed}`);
    }
    assert.equal(texts.length, 0);
    assert.equal(textOf(back), textOf(draft));
  }
});

test('an edit changes the text as it says, and no earlier position', () => {
  for (const seed of SEEDS) {
    const random = randomSource(seed);
    let draft = randomDraft(seed, 40);
    for (let at = 0; at < 40; at++) {
      const text = textOf(draft);
      const [start = 0, end = 0] = [random.next(text.length + 1), random.next(text.length + 1)].sort((a, b) => a - b);
      const before = new Map([...draft.nodes.keys()].map((id) => [id, textOf(draft, id)]));
      const next = editText(draft, { start, end, insert: '✎' }, 1_000_000 + at * 2000);
      assert.equal(textOf(next), `${text.slice(0, start)}✎${text.slice(end)}`);
      for (const [id, was] of before) assert.equal(textOf(next, id), was, `seed ${seed}, node ${id}`);
      draft = next;
    }
  }
});

test('the text of a node is that of its tokens, an open node has no children, and parents know their children', () => {
  for (const seed of SEEDS) {
    const random = randomSource(seed);
    let draft = newDraft('d', {});
    for (let at = 0; at < 150; at++) {
      draft = randomAction(draft, random, at * random.next(1500), true);
      for (const node of draft.nodes.values()) {
        if (node.tokens !== null) assert.equal(node.tokens.map(({ text }) => text).join(''), node.text);
        if (isOpen(node)) assert.equal(node.children.length, 0, `seed ${seed}, action ${at}`);
        for (const child of node.children) assert.equal(nodeOf(draft, child).parent, node.id);
      }
    }
  }
});

test('a split never separates the tokens of one character', () => {
  for (const seed of SEEDS) {
    for (const node of randomDraft(seed, 150).nodes.values()) {
      if (node.kind !== 'generated' || node.tokens === null || node.tokens.length === 0) continue;
      const [first] = node.tokens;
      const isContinuation = first?.label === 'bytes:\\x98\\x80';
      // Only the user may separate them, by taking an alternative for one of them.
      if (isContinuation && first?.text === '😀') {
        const siblings = node.parent === null ? [] : nodeOf(draftOf(seed), node.parent).children;
        assert.ok(siblings.some((id) => nodeOf(draftOf(seed), id).kind === 'taken'));
      }
    }
  }
});

const drafts = new Map<number, Draft>();
function draftOf(seed: number): Draft {
  const draft = drafts.get(seed) ?? randomDraft(seed, 150);
  drafts.set(seed, draft);
  return draft;
}

test('drafts survive storage; damaged ones are refused with what is wrong', () => {
  for (const seed of SEEDS) {
    const draft = { ...randomDraft(seed, 80), typing: null };
    const stored: unknown = JSON.parse(JSON.stringify([headOf(draft), [...draft.nodes.values()].map(storedNode)]));
    const [head, nodes] = stored as [Record<string, unknown>, Record<string, unknown>[]];
    const back = readDraft(head, nodes);
    assert.deepEqual({ ...back, nodes: [...back.nodes] }, { ...draft, nodes: [...draft.nodes] });
  }
  const draft = typed('abc');
  const nodes = [...draft.nodes.values()];
  const refused = (head: object, list: readonly unknown[], what: RegExp): void => {
    assert.throws(
      () => readDraft({ ...headOf(draft), ...head }, list),
      (error) => {
        assert.ok(error instanceof DamagedDraftError);
        assert.match(error.message, what);
        return true;
      },
    );
  };
  refused({ version: 7 }, nodes, /expected version 1, got 7/);
  refused({ here: 'n9' }, nodes, /position n9 is missing/);
  refused({}, nodes.slice(0, 1), /node n1 is missing/);
  refused({}, [nodes[0], { ...nodes[1], parent: 'n1' }], /another parent/);
  refused({}, [...nodes, { ...nodes[1], id: 'n0.5' }], /not in the tree/);
  refused({}, [nodes[0], { ...nodes[1], tokens: '[]' }], /tokens of node n1 are not its text/);
  refused({}, [nodes[0], { ...nodes[1], tokens: '[' }], /expected tokens to be JSON/);
  refused({ idCount: 1 }, nodes, /node n1 is not below 1/);
});

function typed(text: string): Draft {
  return editText(newDraft('d', {}), { start: 0, end: 0, insert: text }, 0);
}

function generation(key: string, sequences = 1) {
  return { key, parameters: { temperature: 0.8 }, seed: 7, sequences };
}

function arrival(key: string, ...labels: readonly string[]): Arrival {
  const tokens = labels.map((label, at) => ({ id: 100 + at, label, logprob: -1, top: [] }));
  return { key, sequence: 0, text: labels.join(''), tokens };
}

function generated(...labels: readonly string[]): Draft {
  const begun = beginGeneration(typed('I met'), 'n1', generation('k'));
  return endGeneration(appendTokens(acceptRun(begun, 'k', 'run_1'), [arrival('k', ...labels)]), {
    key: 'k',
    finishes: ['length'],
    failure: null,
  });
}

test('typing within a second at the caret extends one node; a pause or a jump begins another', () => {
  let draft = typed('I');
  draft = editText(draft, { start: 1, end: 1, insert: ' m' }, 900);
  draft = editText(draft, { start: 3, end: 3, insert: 'et' }, 1800);
  draft = editText(draft, { start: 4, end: 5, insert: '' }, 1900);
  draft = editText(draft, { start: 4, end: 4, insert: 't' }, 2000);
  assert.deepEqual([textOf(draft), draft.nodes.size, draft.past.length], ['I met', 2, 1]);
  draft = editText(draft, { start: 5, end: 5, insert: ' a' }, 3100);
  assert.deepEqual([textOf(draft), draft.past.length], ['I met a', 2]);
  draft = editText(draft, { start: 1, end: 1, insert: '’ve' }, 3200);
  assert.deepEqual([textOf(draft), draft.past.length], ['I’ve met a', 3]);
  draft = editText(draft, { start: 4, end: 4, insert: ' not' }, 3300);
  assert.deepEqual([textOf(draft), draft.past.length], ['I’ve not met a', 3]);
  assert.equal(textOf(undo(draft)), 'I met a');
});

test('editing inside generated text keeps the tokens before it, and the rest as a sibling', () => {
  const draft = generated(' a', ' trav', 'eller');
  const edited = editText(draft, { start: 'I met a tr'.length, end: 'I met a tr'.length, insert: 'U' }, 9000);
  assert.equal(textOf(edited), 'I met a trUaveller');
  const path = pathOf(edited).slice(1);
  assert.deepEqual(
    path.map(({ kind, text, isMoved }) => [kind, text, isMoved]),
    [
      ['typed', 'I met', false],
      ['generated', ' a', false],
      ['typed', ' trU', false],
      ['typed', 'av', false],
      ['generated', 'eller', true],
    ],
  );
  assert.deepEqual(
    path[1]?.tokens?.map(({ id }) => id),
    [100],
  );
  assert.equal(path[4]?.run?.from, 2);
  const [rest, own] = path[1]?.children ?? [];
  assert.deepEqual([nodeOf(edited, rest ?? '').text, own], [' traveller', path[2]?.id]);
  assert.equal(textOf(undo(edited)), 'I met a traveller');
});

test('typing while tokens arrive does not change what is typed, and the generation goes on beside it', () => {
  let draft = appendTokens(beginGeneration(typed('I met'), 'n1', generation('k')), [arrival('k', ' a')]);
  draft = editText(draft, { start: 7, end: 7, insert: ' king' }, 100);
  draft = appendTokens(draft, [arrival('k', ' boy')]);
  assert.equal(textOf(draft), 'I met a king');
  const [seam] = seamsOf(draft);
  assert.deepEqual([seam?.offset, seam?.count], [7, 2]);
  assert.equal(textOf(goToBranch(draft, siblingOf(draft, seam?.node ?? '', 1))), 'I met a boy');
});

test('a generation adds a child, and a retry a sibling', () => {
  const draft = generated(' a', ' boy');
  const retry = retryPointOf(draft);
  assert.deepEqual([retry?.parent, retry?.generated.run?.id], ['n1', 'run_1']);
  const again = beginGeneration(draft, retry?.parent ?? '', generation('k2', 3));
  assert.deepEqual(seamsOf(again), [{ node: again.here, offset: 5, index: 1, count: 4, mean: null }]);
  assert.equal(canUndo(again), true);
  assert.equal(textOf(undo(again)), 'I met a boy');
  const late = appendTokens(undo(again), [{ ...arrival('k2', ' man'), sequence: 1 }]);
  assert.equal(textOf(goToBranch(late, siblingOf(late, late.here, 2))), 'I met man');
});

test('a retry begins where the generation began, or after the edit that follows', () => {
  const draft = editText(generated(' a', ' boy'), { start: 7, end: 7, insert: '!' }, 9000);
  assert.equal(textOf(draft, retryPointOf(draft)?.parent), 'I met a!');
  const cut = takeAlternative(generated(' a', ' boy'), 'n2', 1, { id: 9, label: ' girl', logprob: -2 });
  assert.equal(retryPointOf(cut)?.parent, 'n1');
});

test('taking an alternative keeps the tokens before it, and prompts with exactly these ids', () => {
  const draft = generated(' a', ' little', ' boy', ' who');
  const branched = takeAlternative(draft, 'n2', 2, { id: 9, label: ' girl', logprob: -2 });
  assert.equal(textOf(branched), 'I met a little girl');
  assert.deepEqual(promptOf(branched), { text: 'I met', tokens: [100, 101, 9], tokenText: ' a little girl' });
  assert.deepEqual(
    seamsOf(branched).map(({ index, count }) => [index, count]),
    [[1, 2]],
  );
  const typedAfter = editText(branched, { start: 19, end: 19, insert: '’s' }, 9000);
  assert.deepEqual(promptOf(typedAfter), { text: 'I met a little girl’s', tokens: [], tokenText: '' });
});

test('a token taken at an offset of the text follows exactly what is before it', () => {
  const draft = typed('I met a man');
  const taken = takeInText(draft, 'I met a'.length, { id: 9, label: ' girl', logprob: -2 });
  assert.equal(textOf(taken), 'I met a girl');
  assert.deepEqual(promptOf(taken), { text: 'I met a', tokens: [9], tokenText: ' girl' });
  assert.equal(textOf(undo(taken)), 'I met a man');
  assert.throws(() => takeInText(draft, 12, { id: 9, label: 'x', logprob: null }), RangeError);
});

test('an end-of-text token, and what a stop string cut, are not in the prompt', () => {
  const begun = beginGeneration(typed('Q'), 'n1', generation('k'));
  const event = { ...arrival('k', ' a', '<|endoftext|>'), text: ' a' };
  assert.deepEqual(promptOf(endAll(appendTokens(begun, [event]))), { text: 'Q', tokens: [100], tokenText: ' a' });
  const trimmed = { ...arrival('k', ' a.\n', 'Q'), text: ' a.' };
  assert.deepEqual(promptOf(endAll(appendTokens(begun, [trimmed]))), { text: 'Q a.', tokens: [], tokenText: '' });
});

test('a restarted generation keeps its void text until new tokens arrive', () => {
  const open = appendTokens(beginGeneration(typed('I met'), 'n1', generation('k')), [arrival('k', ' a', ' boy')]);
  const restarted = restartGeneration(open, 'k');
  assert.equal(textOf(restarted), 'I met a boy');
  assert.equal(nodeOf(restarted, 'n2').run?.stage, 'void');
  assert.equal(textOf(appendTokens(restarted, [arrival('k', ' the')])), 'I met the');
  const split = restartGeneration(editText(open, { start: 9, end: 9, insert: 'X' }, 9000), 'k');
  assert.equal(textOf(split), 'I met a bXoy');
  const [seam] = seamsOf(appendTokens(split, [arrival('k', ' the')]));
  assert.deepEqual([seam?.offset, seam?.count], [5, 2]);
});

test('tokens of one character bring it together, and text that was held back belongs to its own tokens', () => {
  const token = (label: string | null): DraftToken => ({ id: 1, label, text: '', logprob: null, top: [] });
  const texts = (labels: readonly (string | null)[], text: string) =>
    alignText(labels.map(token), text).map((t) => t.text);
  assert.deepEqual(texts(['bytes:\\xf0', 'bytes:\\x9f', ' hi'], '😀 hi'), ['', '😀', ' hi']);
  assert.deepEqual(texts(['the', ' end', '<|endoftext|>'], 'the end'), ['the', ' end', '']);
  assert.deepEqual(texts(['a', '<|endoftext|>', ' b'], 'a b'), ['a', '', ' b']);
  assert.deepEqual(texts(['abc', 'def'], 'ab'), ['ab', '']);
  assert.deepEqual(texts([null, null], 'abc'), ['', 'abc']);
  const begun = beginGeneration(typed('Q'), 'n1', generation('k'));
  const held = appendTokens(begun, [
    { ...arrival('k', 'abc'), text: 'ab' },
    { ...arrival('k', 'def'), text: 'cdef' },
  ]);
  assert.deepEqual(
    nodeOf(held, 'n2').tokens?.map(({ text }) => text),
    ['abc', 'def'],
  );
});

test('deleting a branch leaves the parent, and a history without it', () => {
  const draft = editText(generated(' a', ' boy'), { start: 9, end: 9, insert: 'X' }, 9000);
  const [, typedNode, generatedFirst] = pathOf(draft);
  const left = deleteNode(draft, generatedFirst?.id ?? '');
  assert.deepEqual([textOf(left), left.here], ['I met', typedNode?.id]);
  assert.equal(textOf(undo(left)), '');
  assert.throws(() => deleteNode(draft, draft.root), /below the root/);
});

test('the change between two texts is where the caret is, also within repeated letters', () => {
  assert.deepEqual(changeBetween('aaa', 'aaaa', 2), { start: 1, end: 1, insert: 'a' });
  assert.deepEqual(changeBetween('aaa', 'aa', 1), { start: 1, end: 2, insert: '' });
  assert.deepEqual(changeBetween('one two', 'one 2', 5), { start: 4, end: 7, insert: '2' });
  assert.deepEqual(changeBetween('abc', 'abc', 3), { start: 3, end: 3, insert: '' });
  for (const seed of SEEDS) {
    const random = randomSource(seed);
    const before = textOf(randomDraft(seed, 30));
    const [start = 0, end = 0] = [random.next(before.length + 1), random.next(before.length + 1)].sort((a, b) => a - b);
    const after = `${before.slice(0, start)}aa${before.slice(end)}`;
    const change = changeBetween(before, after, start + 2);
    assert.equal(before.slice(0, change.start) + change.insert + before.slice(change.end), after);
  }
});

test('a run of nodes without forks is one row of the tree; a bookmark and a fork end it', () => {
  const draft = takeAlternative(generated(' a', ' boy'), 'n2', 1, { id: 9, label: ' girl', logprob: -2 });
  const [row, ...others] = treeRows(draft);
  assert.deepEqual([row?.text, row?.isGenerated, row?.isOnPath, row?.isHere], ['I met a', true, true, false]);
  assert.deepEqual(
    row?.children.map(({ text, isHere, isOnPath }) => [text, isHere, isOnPath]),
    [
      ['boy', false, false],
      ['girl', true, true],
    ],
  );
  assert.equal(others.length, 0);
  const starred = treeRows(starNode(draft, 'n1', true));
  assert.deepEqual([starred[0]?.text, starred[0]?.children[0]?.text], ['I met', 'a']);
  assert.deepEqual(
    starredRows(starred).map(({ id }) => id),
    ['n1'],
  );
  const end = row?.children[1];
  assert.deepEqual([rowOf(treeRows(draft), end?.first ?? '')?.text, end?.mean], ['girl', -2]);
  assert.equal(rowOf(treeRows(draft), 'n99'), null);
  assert.equal(treeRows(typed('x'.repeat(200)))[0]?.text, `${'x'.repeat(80)}…`);
});
