import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chooseModel } from './default-model.ts';

test('prefers the option to the environment variable, and the environment variable to the embedded model', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-cli-'));
  t.after(() => rm(folder, { recursive: true }));
  assert.throws(() => chooseModel(undefined, {}, folder), /pass --model FILE or set GPTJ_MODEL/);
  assert.throws(() => chooseModel(undefined, {}, join(folder, 'none')), /found no model/);
  for (const name of ['README.md', 'b.gguf', 'a.gguf']) await writeFile(join(folder, name), '');
  assert.equal(chooseModel(undefined, {}, folder), join(folder, 'a.gguf'));
  assert.equal(chooseModel(undefined, { GPTJ_MODEL: '' }, folder), join(folder, 'a.gguf'));
  assert.equal(chooseModel(undefined, { GPTJ_MODEL: 'm' }, folder), 'm');
  assert.equal(chooseModel('o', { GPTJ_MODEL: 'm' }, folder), 'o');
});
