import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryShelf } from '../../testing/memory-shelf.ts';
import { deleteNode } from '../document/branching.ts';
import { type Draft, newDraft, textOf } from '../document/draft.ts';
import { editText } from '../document/edit-text.ts';
import { createDraftClaims, type DraftClaims } from './draft-claims.ts';
import { createDraftSaver, titleOf } from './draft-saver.ts';
import { openDraft } from './open-draft.ts';

function typed(draft: Draft, insert: string, nowMs: number): Draft {
  const end = textOf(draft).length;
  return editText(draft, { start: end, end, insert }, nowMs);
}

function saverOf(shelf = memoryShelf()) {
  const tasks: { task: () => void; delayMs: number }[] = [];
  const copies: Draft[] = [];
  const errors: unknown[] = [];
  let ids = 0;
  const saver = createDraftSaver({
    shelf,
    nowMs: () => 1000,
    later: (task, delayMs) => {
      const entry = { task, delayMs };
      tasks.push(entry);
      return () => tasks.splice(tasks.indexOf(entry), 1);
    },
    newId: () => `copy-${++ids}`,
    onCopied: (copy) => copies.push(copy),
    onError: (error) => errors.push(error),
  });
  return { shelf, saver, tasks, copies, errors };
}

test('writes 300 ms after the last change, and only the nodes that have changed', async () => {
  const { shelf, saver, tasks } = saverOf();
  const first = typed(newDraft('d', {}), 'I met', 0);
  const second = typed(first, ' a', 5000);
  saver.changed(first);
  saver.changed(second);
  assert.deepEqual(
    tasks.map(({ delayMs }) => delayMs),
    [300],
  );
  await saver.flush();
  saver.changed(typed(second, ' boy', 9000));
  await saver.flush();
  assert.deepEqual(shelf.writes, [
    ['n0', 'n1', 'n2'],
    ['n2', 'n3'],
  ]);
  saver.changed(deleteNode(typed(second, ' boy', 9000), 'n3'));
  await saver.flush();
  assert.deepEqual([...(shelf.drafts.get('d')?.nodes.keys() ?? [])], ['n0', 'n1', 'n2']);
});

test('a stored draft opens as it was, and the last saved one without an id', async () => {
  const { shelf, saver } = saverOf();
  const draft = typed(typed(newDraft('d', { temperature: 0.7 }), 'I met', 0), ' a boy', 5000);
  saver.changed(draft);
  await saver.flush();
  const opened = await openDraft({ shelf, claims: freeClaims, newId: () => 'new', parameters: {} });
  assert.deepEqual([opened.draft.id, textOf(opened.draft), opened.revision], ['d', 'I met a boy', 1]);
  assert.deepEqual([opened.draft.parameters, opened.notice], [{ temperature: 0.7 }, null]);
  const other = saverOf(shelf);
  other.saver.opened(opened.draft, opened.revision);
  other.saver.changed(typed(opened.draft, '!', 9000));
  await other.saver.flush();
  assert.deepEqual(shelf.writes.at(-1), ['n2', 'n3']);
});

const freeClaims: DraftClaims = { claim: async () => true, close: () => undefined };

test('a draft that another tab has written meanwhile becomes a copy with all of its text', async () => {
  const one = saverOf();
  const draft = typed(newDraft('d', {}), 'I met', 0);
  one.saver.changed(draft);
  await one.saver.flush();
  const two = saverOf(one.shelf);
  two.saver.opened(draft, 1);
  one.saver.changed(typed(draft, ' one', 5000));
  await one.saver.flush();
  two.saver.changed(typed(draft, ' two', 5000));
  await two.saver.flush();
  assert.deepEqual(
    two.copies.map((copy) => [copy.id, textOf(copy)]),
    [['copy-1', 'I met two']],
  );
  assert.deepEqual([...one.shelf.drafts.keys()], ['d', 'copy-1']);
  assert.equal(one.shelf.drafts.get('copy-1')?.nodes.size, 3);
  const again = await openDraft({ shelf: one.shelf, claims: freeClaims, newId: () => 'new', parameters: {} }, 'd');
  assert.equal(textOf(again.draft), 'I met one');
});

test('a failed write is reported, and the next one writes everything', async () => {
  const shelf = memoryShelf();
  let isFull = true;
  const write: typeof shelf.write = async (each) => {
    if (isFull) throw new Error('the disk is full');
    return await shelf.write(each);
  };
  const { saver, errors } = saverOf({ ...shelf, write });
  const draft = typed(newDraft('d', {}), 'I met', 0);
  saver.changed(draft);
  await saver.flush();
  assert.match(String(errors[0]), /the disk is full/);
  isFull = false;
  saver.changed(typed(draft, '!', 5000));
  await saver.flush();
  assert.equal(shelf.drafts.get('d')?.nodes.size, 3);
});

/** Tabs whose channels deliver at once. */
function tabs(...names: readonly string[]): readonly DraftClaims[] {
  const listeners: { name: string; listener: (event: { readonly data: unknown }) => void }[] = [];
  return names.map((name) =>
    createDraftClaims({
      tabId: name,
      answerTime: async () => undefined,
      channel: {
        postMessage: (data) => {
          for (const other of listeners) if (other.name !== name) other.listener({ data });
        },
        addEventListener: (_, listener) => listeners.push({ name, listener }),
        close: () => listeners.splice(0, listeners.length, ...listeners.filter((other) => other.name !== name)),
      },
    }),
  );
}

test('the later of two tabs opens a copy of a draft with a notice; a closed tab holds nothing', async () => {
  const { shelf, saver } = saverOf();
  saver.changed(typed(newDraft('d', {}), 'I met', 0));
  await saver.flush();
  const [first, second, third] = tabs('a', 'b', 'c');
  assert.ok(first && second && third);
  const open = async (claims: DraftClaims, newId: string) =>
    await openDraft({ shelf, claims, newId: () => newId, parameters: {} });
  assert.equal((await open(first, 'x')).draft.id, 'd');
  const copy = await open(second, 'x');
  assert.deepEqual([copy.draft.id, copy.revision, textOf(copy.draft)], ['x', 0, 'I met']);
  assert.match(copy.notice ?? '', /open in another tab/);
  first.close();
  assert.equal((await open(third, 'y')).draft.id, 'd');
});

test('of two tabs that claim a draft at once, one gets it', async () => {
  const [a, b] = tabs('a', 'b');
  assert.deepEqual(await Promise.all([a?.claim('d'), b?.claim('d')]), [true, false]);
});

test('a damaged draft is set aside with its data, and said', async () => {
  const { shelf, saver } = saverOf();
  saver.changed(typed(newDraft('d', {}), 'I met', 0));
  await saver.flush();
  shelf.drafts.get('d')?.nodes.delete('n1');
  const opened = await openDraft({ shelf, claims: freeClaims, newId: () => 'new', parameters: { top_k: 5 } });
  assert.deepEqual([opened.draft.id, opened.draft.parameters], ['new', { top_k: 5 }]);
  assert.match(opened.notice ?? '', /could not be read and was set aside.*n1 is missing/);
  assert.equal(shelf.aside.get('d')?.stored?.nodes.length, 1);
  assert.deepEqual(await shelf.list(), []);
});

test('the title of a draft is its name, or the start of its text in whole characters', () => {
  const draft = typed(newDraft('d', {}), `  Once\nupon ${'😀'.repeat(80)}`, 0);
  assert.equal(titleOf(draft), `Once upon ${'😀'.repeat(50)}…`);
  assert.equal(titleOf({ ...draft, name: 'Tale' }), 'Tale');
  assert.equal(titleOf(newDraft('d', {})), 'Empty draft');
});
