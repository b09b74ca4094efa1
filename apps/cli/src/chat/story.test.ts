import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { append, EMPTY_STORY, redo, type Story, spaced, textOf, undo } from './story.ts';
import { loadStory, saveStory } from './story-file.ts';

const STORY = append(append(EMPTY_STORY, { by: 'user', text: 'Once' }), { by: 'model', text: ' upon' });

test('undo and redo move the last segment, and new text discards what was undone', () => {
  const before = undo(STORY) ?? assert.fail();
  assert.equal(textOf(before), 'Once');
  assert.equal(textOf(redo(before) ?? assert.fail()), 'Once upon');
  const other = append(before, { by: 'user', text: ' more' });
  assert.deepEqual([textOf(other), redo(other)], ['Once more', null]);
  assert.deepEqual([undo(EMPTY_STORY), redo(STORY)], [null, null]);
});

test('puts a space before a typed word that would touch another one, and nowhere else', () => {
  const after = (text: string, typed: string): string => spaced(append(EMPTY_STORY, { by: 'user', text }), typed);
  assert.equal(after('Once', 'upon'), ' upon');
  assert.equal(after('Once,', 'éclair'), ' éclair');
  assert.equal(after('Once', ', and'), ', and');
  assert.equal(after('Once ', 'upon'), 'upon');
  assert.equal(after('', 'Once'), 'Once');
});

test('reads back a saved story with its parameters', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-story-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'story.json');
  const saved: { readonly story: Story; readonly parameters: object } = { story: STORY, parameters: { top_p: 0.9 } };
  await saveStory(path, { story: STORY, parameters: { top_p: 0.9 } }, false);
  assert.deepEqual(await loadStory(path), saved);
  await assert.rejects(saveStory(path, { story: STORY, parameters: {} }, false), /already exists/);
  for (const text of ['', '[]', '{"format": "gptj chat 1", "parameters": {}, "segments": [{"by": "x", "text": ""}]}']) {
    await writeFile(path, text);
    await assert.rejects(loadStory(path), /story\.json: expected/);
  }
});
