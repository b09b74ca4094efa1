import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readAdapter } from '@gptj-cloud/checkpoint';
import { parseGptjConfig } from '@gptj-cloud/model';
import { testLocks } from '../testing/test-locks.ts';
import { addAdapter, listAdapters, MAX_ADAPTERS, removeAdapter } from './adapter-store.ts';

const FIXTURES = fileURLToPath(new URL('../../../engine/fixtures/', import.meta.url));
const CONFIG = parseGptjConfig(JSON.parse(await readFile(join(FIXTURES, 'tiny-gptj.json'), 'utf8')).config);
const SOURCE = join(FIXTURES, 'adapters', 'every-matrix');

async function store(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'gptj-adapter-store-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const folder = join(root, 'adapters');
  const tryLock = testLocks();
  const { signal } = new AbortController();
  const add = (name: string | null = null, source = SOURCE, freeBytes = 2 ** 40) =>
    addAdapter({ folder, source, name, config: CONFIG, freeBytes, tryLock, signal });
  return { root, folder, add, remove: (name: string) => removeAdapter(folder, name, tryLock, signal) };
}

const files = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder).catch(() => [])).filter((name) => name !== '.changes').sort();

test('an adapter is stored under the name of its folder or another one, listed and removed', async (t) => {
  const { folder, add, remove } = await store(t);
  assert.deepEqual(await listAdapters(folder), []);
  const first = await add();
  const second = await add('talk.v2', join(FIXTURES, 'adapters', 'rslora'));
  assert.deepEqual(await listAdapters(folder), [first, second]);
  assert.deepEqual([first.name, first.rank, first.targets.length], ['every-matrix', 17, 6]);
  assert.deepEqual([second.rank, second.targets], [8, ['q_proj', 'v_proj']]);
  assert.equal((await readAdapter(second.path, CONFIG, 'exported')).layers.length, 2);
  assert.equal((await remove('every-matrix')).name, 'every-matrix');
  assert.deepEqual(await files(folder), ['talk.v2.json', second.file].sort());
  await assert.rejects(remove('every-matrix'), {
    code: 'not_found',
    message: /expected the name of a stored adapter, got "every-matrix"; it has talk\.v2/,
  });
});

test('the same folder replaces its adapter, and another folder does not take its name', async (t) => {
  const { root, folder, add } = await store(t);
  const source = join(root, 'mine');
  await cp(SOURCE, source, { recursive: true });
  const first = await add(null, source);
  const config = JSON.parse(await readFile(join(source, 'adapter_config.json'), 'utf8'));
  await writeFile(join(source, 'adapter_config.json'), JSON.stringify({ ...config, lora_alpha: 5 }));
  const second = await add(null, source);
  assert.notEqual(second.file, first.file);
  assert.deepEqual(await files(folder), ['mine.json', second.file].sort());
  await assert.rejects(add('mine'), { code: 'name_taken', message: /mine, which is .*mine; --name gives/ });
});

test('a bad adapter, a bad name and one too many are refused before anything is written', async (t) => {
  const { root, folder, add } = await store(t);
  await assert.rejects(add('../evil'), { code: 'address_invalid' });
  await assert.rejects(add('x', root), { name: 'CheckpointError', code: 'not_found' });
  assert.deepEqual(await files(root), []);
  const stored = await add('a0');
  const record = await readFile(join(folder, 'a0.json'), 'utf8');
  for (let i = 1; i < MAX_ADAPTERS; i++) {
    await writeFile(join(folder, `a${i}.json`), record.replace('"a0"', `"a${i}"`));
  }
  await assert.rejects(add('more'), { message: /at most 64 adapters/ });
  assert.equal((await files(folder)).length, MAX_ADAPTERS + 1);
  assert.equal((await add('a0')).sha256, stored.sha256);
});

test('a file that is no record, or names a file elsewhere, is no adapter', async (t) => {
  const { folder, add } = await store(t);
  const good = await add('good');
  const record = await readFile(join(folder, 'good.json'), 'utf8');
  await writeFile(join(folder, 'evil.json'), record.replace('"good"', '"evil"').replace(good.file, '../../etc/passwd'));
  await writeFile(join(folder, 'renamed.json'), record);
  await writeFile(join(folder, 'broken.json'), '{');
  assert.deepEqual(await listAdapters(folder), [good]);
});

test('an addition that is killed at any moment leaves whole adapters, and the next change removes what it left', async (t) => {
  const { folder, add } = await store(t);
  const child = fileURLToPath(new URL('../testing/add-adapters-child.js', import.meta.url));
  for (let kill = 0; kill < 6; kill++) {
    const adding = spawn(process.execPath, [child, folder, FIXTURES], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(adding.stdout, 'data');
    await delay((kill * 17) % 40);
    const exited = once(adding, 'exit');
    adding.kill('SIGKILL');
    await exited;
    for (const { path } of await listAdapters(folder)) await readAdapter(path, CONFIG, 'exported');
  }
  await add('after');
  const stored = await listAdapters(folder);
  assert.ok(stored.length >= 2);
  const expected = stored.flatMap(({ name, file }) => [`${name}.json`, file]);
  assert.deepEqual(await files(folder), expected.sort());
});

test('an adapter that takes more memory than is free is refused in figures, and nothing of it stays', async (t) => {
  const { folder, add } = await store(t);
  await assert.rejects(add(null, SOURCE, 100), {
    code: 'memory_full',
    message: /every-matrix: expected \d+ MB of free memory, got 0 MB; .*ENGINE_MEMORY_CHECK=off/,
  });
  assert.deepEqual(await files(folder), []);
});
