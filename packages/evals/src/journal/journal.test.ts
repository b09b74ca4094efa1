import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TokenScores } from '../scoring/token-scorer.ts';
import { Journal } from './journal.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-journal-'));
});
after(async () => {
  await rm(folder, { recursive: true });
});

const SCORES: TokenScores = { logprobs: [-0.1, -1 / 3], greedy: [true, false], top: [true, true] };

test('scores are read back exactly by the next process', async () => {
  const path = join(folder, 'deep', 'a.jsonl');
  const first = await Journal.open(path);
  await first.append([{ key: 'one', scores: SCORES }]);
  await first.appendText('two', 'text\n');
  await first.close();
  const second = await Journal.open(path);
  assert.deepEqual(second.scores('one'), SCORES);
  assert.equal(second.text('two'), 'text\n');
  assert.equal(second.scores('three'), undefined);
  await second.close();
});

test('a line that a kill has cut is ignored, and does not spoil the next one', async () => {
  const path = join(folder, 'b.jsonl');
  const first = await Journal.open(path);
  await first.append([{ key: 'one', scores: SCORES }]);
  await first.close();
  await appendFile(path, '{"k":"cut","l":[-1');
  const second = await Journal.open(path);
  assert.equal(second.scores('cut'), undefined);
  await second.append([{ key: 'two', scores: SCORES }]);
  await second.close();
  const third = await Journal.open(path);
  assert.deepEqual([third.scores('one'), third.scores('two')], [SCORES, SCORES]);
  await third.close();
});

test('a first line that a kill has cut leaves a journal', async () => {
  for (const cut of ['{', '{"k', '{"k":"on', '{"k\n{"k":"cut","l":[']) {
    const path = join(folder, 'first.jsonl');
    await writeFile(path, cut);
    await (await Journal.open(path)).close();
  }
});

test('a file of another kind is refused and left as it is', async () => {
  for (const [at, text] of ['one\ntwo\nthree\nfour', 'note', '\n', '{"key": 1}\n', '{"k"}\n'].entries()) {
    const path = join(folder, `c${at}.txt`);
    await writeFile(path, text);
    await assert.rejects(Journal.open(path), /expected a journal of gptj eval, got another file/, text);
    assert.equal(await readFile(path, 'utf8'), text);
  }
});
