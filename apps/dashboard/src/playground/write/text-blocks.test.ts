import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seamsOf } from '../document/branching.ts';
import { type Draft, emptyNode, newDraft, pathOf, stepTo, withChild } from '../document/draft.ts';
import { textBlocks } from './text-blocks.ts';

function draftOf(...texts: readonly string[]): Draft {
  let draft = newDraft('d', {});
  for (const [at, text] of texts.entries()) {
    const kind = at % 2 === 0 ? 'typed' : 'generated';
    const added = withChild(draft, { ...emptyNode('', draft.here, kind), text });
    draft = stepTo(added.draft, added.id);
  }
  return draft;
}

const blocksOf = (draft: Draft) => textBlocks(pathOf(draft), seamsOf(draft));
const shapesOf = (draft: Draft) => blocksOf(draft).map((block) => block.map(({ tint, text }) => [tint, text]));

test('blocks contain the whole text, and each but the last ends with a line', () => {
  const line = `${'word '.repeat(30)}\n`;
  for (const text of ['', '\n', line, `${line}\n\n${line}${line}end`, 'x'.repeat(5000), `😀${'😀'.repeat(3000)}`]) {
    const blocks = blocksOf(draftOf('Once', text));
    assert.equal(
      blocks
        .flat()
        .map((piece) => piece.text)
        .join(''),
      `Once${text}`,
    );
    for (const block of blocks.slice(0, -1)) assert.ok(block.at(-1)?.text.endsWith('\n'));
    for (const piece of blocks.flat()) {
      assert.ok(piece.text.length <= 1024 && !/[\ud800-\udbff]$/.test(piece.text), piece.text.slice(-3));
    }
  }
});

test('appended text changes the last piece alone, in long lines and in short ones', () => {
  for (const word of ['word ', 'a\n', 'unbroken', ' and then,\n\n', '😀']) {
    let before = shapesOf(draftOf('Once', ''));
    for (let count = 1; count < 1500; count += 7) {
      const after = shapesOf(draftOf('Once', word.repeat(count)));
      const settled = before.slice(0, -1);
      assert.deepEqual(after.slice(0, settled.length), settled);
      const pieces = before.at(-1)?.slice(0, -1) ?? [];
      assert.deepEqual(after[settled.length]?.slice(0, pieces.length), pieces);
      before = after;
    }
    assert.ok(before.flat().length > 2, word);
  }
});

test('the text after the end of the context has a tint of its own, and its beginning is marked', () => {
  const draft = draftOf('Once', ' there', ' was');
  const pieces = (contextEnd: number) =>
    textBlocks(pathOf(draft), [], contextEnd)
      .flat()
      .map(({ tint, text, isContextEnd }) => [tint, text, isContextEnd]);
  assert.deepEqual(pieces(6), [
    ['typed', 'Once', false],
    ['generated', ' t', false],
    ['beyond', 'here', true],
    ['beyond', ' was', false],
  ]);
  assert.deepEqual(pieces(4).slice(1, 2), [['beyond', ' there', true]]);
});

test('neighbours of one provenance are one piece, and a seam begins another', () => {
  const draft = draftOf('Once', ' there', ' was');
  assert.deepEqual(shapesOf(draft), [
    [
      ['typed', 'Once'],
      ['generated', ' there'],
      ['typed', ' was'],
    ],
  ]);
  const node = pathOf(draft).at(-1);
  const sibling = withChild(draft, { ...emptyNode('', node?.parent ?? null, 'generated'), text: '' });
  const branched = stepTo(sibling.draft, sibling.id);
  assert.deepEqual(
    blocksOf(branched)
      .flat()
      .map(({ text, seam }) => [text, seam?.index]),
    [
      ['Once', undefined],
      [' there', undefined],
      ['', 1],
    ],
  );
});
