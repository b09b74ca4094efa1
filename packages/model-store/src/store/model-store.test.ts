import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isModelName, toModelName } from './model-record.ts';
import { checkName, findModel, listModels, removeModel, storeModel } from './model-store.ts';

async function store(t: TestContext) {
  const models = await mkdtemp(join(tmpdir(), 'gptj-store-'));
  t.after(() => rm(models, { recursive: true, force: true }));
  const put = async (name: string, type: string, digit: string, storedAt = '2026-01-01T00:00:00Z') => {
    const file = join(models, `.new-${digit}`);
    await writeFile(file, digit);
    const source = { kind: 'hub', from: 'a/b', revision: 'main', commit: null } as const;
    return await storeModel(models, file, { name, type, sizeBytes: 1, sha256: digit.repeat(64), source, storedAt });
  };
  return { models, put };
}

test('a name means the type that was stored last, and name.type one of them', async (t) => {
  const { models, put } = await store(t);
  const q8 = await put('m', 'q8_0', '1', '2026-01-02T00:00:00Z');
  const q4 = await put('m', 'q4_0', '2');
  assert.deepEqual(await findModel(models, 'm'), q8);
  assert.deepEqual(await findModel(models, 'm.q4_0'), q4);
  assert.equal(await findModel(models, 'm.f16'), null);
  assert.equal(await findModel(models, '../m'), null);
});

test('a model that is stored again replaces its file, and removes what killed processes left of it', async (t) => {
  const { models, put } = await store(t);
  await put('m', 'f16', '1');
  await writeFile(join(models, `m.f16-${'9'.repeat(12)}.gguf`), 'left');
  await writeFile(join(models, `m.f16.json.${'a'.repeat(12)}.new`), '{');
  await writeFile(join(models, 'm-f16-0123456789abcdef-f16.gguf'), 'of a converted folder');
  await put('m', 'f16', '2');
  assert.deepEqual((await readdir(models)).sort(), [
    'm-f16-0123456789abcdef-f16.gguf',
    `m.f16-${'2'.repeat(12)}.gguf`,
    'm.f16.json',
  ]);
  await removeModel(models, 'm');
  assert.deepEqual(await readdir(models), ['m-f16-0123456789abcdef-f16.gguf']);
  await assert.rejects(removeModel(models, 'm'), { code: 'not_found', message: /it has none/ });
});

test('no stored model takes the name of the embedded one', async (t) => {
  const { models, put } = await store(t);
  await assert.rejects(put('embedded', 'f16', '1'), { code: 'name_taken', message: /that of the embedded model/ });
  await assert.rejects(checkName(models, 'embedded', 'a/b'), { code: 'name_taken' });
  // A record of an older version is listed, so that it can be removed, and not found by that name.
  const good = await put('good', 'f16', '2');
  await writeFile(join(models, 'embedded.f16.json'), JSON.stringify({ ...good, name: 'embedded' }));
  assert.equal(await findModel(models, 'embedded'), null);
});

test('a file that is no record, or names a file elsewhere, is no model', async (t) => {
  const { models, put } = await store(t);
  const good = await put('good', 'f16', '1');
  const evil = { ...good, name: 'evil', file: '../../etc/passwd' };
  await writeFile(join(models, 'evil.f16.json'), JSON.stringify(evil));
  await writeFile(join(models, 'renamed.f16.json'), JSON.stringify(good));
  await writeFile(join(models, 'broken.f16.json'), '{');
  assert.deepEqual(await listModels(models), [good]);
  assert.deepEqual(await listModels(join(models, 'missing')), []);
});

test('names are parts of file names: made of sources, and checked', () => {
  assert.equal(toModelName('GPT-J-6B'), 'gpt-j-6b');
  assert.equal(toModelName('My Model (1).gguf'), 'my-model-1');
  assert.equal(toModelName('…'), 'model');
  for (const name of ['gpt-j-6b', 'pygmalion-1.3b', 'a_b']) assert.ok(isModelName(name), name);
  for (const name of ['', '.', '..', 'a/b', 'a..b', '.a', 'a.', 'x.gguf', 'a b', 'a'.repeat(81)]) {
    assert.ok(!isModelName(name), name);
  }
});
