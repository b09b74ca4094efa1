import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Ran, runGptj } from './testing/run-gptj.ts';

async function doctor(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-doctor-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const run = (env: NodeJS.ProcessEnv = {}, ...args: readonly string[]): Promise<Ran> =>
    runGptj(['doctor', ...args], { env: { DATA_DIR: folder, HF_HUB_OFFLINE: '1', ...env }, columns: 100 });
  return { folder, run };
}

/** The state of a check in the JSON of a report. */
const stateOf = ({ stdout }: Ran, name: string): string =>
  JSON.parse(stdout).checks.find((each: { name: string }) => each.name === name)?.state;

test('doctor shows what the server would run on, changes nothing and ends with status 0', async (t) => {
  const { folder, run } = await doctor(t);
  const shown = await run();
  assert.equal(shown.status, 0, shown.stderr);
  for (const part of [
    /^program\n✓ gptj: /,
    /\nmachine\n✓ system: /,
    /memory: .* free of /,
    /\nengines\n/,
    /llama\.cpp: 0\.5\.0-dev, on cpu, in /,
    /\nstorage\n✓ data folder: /,
    /\nmodel\n✓ gptj-nano: /,
    /hub: not asked/,
    /\ntypes of GPT-J-6B\ntype .* fits now\n/,
    /\nq4_0 +3\.46 GB +5\.18 GB +(?:yes|no)\n/,
  ]) {
    assert.match(shown.stdout, part);
  }
  assert.deepEqual(await readdir(folder), []);
});

test('a setting, a database or a model that cannot work is a fault: status 1, and no secret is shown', async (t) => {
  const { folder, run } = await doctor(t);
  const database = await run(
    { DATABASE_URL: 'postgres://user:hunter2@127.0.0.1:1/db', GPTJ_MODEL: 'absent' },
    '--json',
  );
  assert.equal(database.status, 1);
  assert.match(database.stderr, /^gptj: 2 faults: model, database\n$/);
  assert.doesNotMatch(database.stdout, /hunter2/);
  assert.deepEqual(
    [JSON.parse(database.stdout).ok, stateOf(database, 'database'), stateOf(database, 'model')],
    [false, 'fault', 'fault'],
  );

  // The server does not start with them.
  for (const HF_ENDPOINT of ['https://user:hunter2@127.0.0.1:1', 'user:hunter2@127.0.0.1:1', '127.0.0.1:1']) {
    const hub = await run({ HF_ENDPOINT }, '--json');
    assert.deepEqual([hub.status, stateOf(hub, 'hub')], [1, 'fault'], HF_ENDPOINT);
    assert.doesNotMatch(hub.stdout + hub.stderr, /hunter2/);
  }

  const setting = await run({ PORT: 'eighty' });
  assert.equal(setting.status, 1);
  assert.match(setting.stdout, /✗ settings: PORT: expected .*got "eighty"\n {4}→ correct the variable/);

  const models = join(folder, 'models');
  await mkdir(models);
  const source = { kind: 'hub', from: 'a/b', revision: null, commit: null };
  const record = { name: 'm', type: 'f16', file: 'm.gguf', sizeBytes: 9, sha256: '', source, storedAt: '' };
  await writeFile(join(models, 'm.f16.json'), JSON.stringify(record));
  const missing = await run();
  assert.equal(missing.status, 1);
  assert.match(missing.stdout, /✗ m\.f16: its file is missing\n {4}→ gptj rm m\.f16, and pull it again/);
});

test('a data folder that is a file, or lies below one, is a fault', async (t) => {
  const { folder, run } = await doctor(t);
  const file = join(folder, 'file');
  await writeFile(file, '');
  for (const DATA_DIR of [file, join(file, 'data')]) {
    const { status, stdout } = await run({ DATA_DIR });
    assert.equal(status, 1);
    assert.match(stdout, /✗ data folder: .*: expected a folder, got the file .*file\n {4}→ set DATA_DIR to a folder/);
  }
});

test('a GPU library that does not load is a warning in the words of the loader', async (t) => {
  const { folder, run } = await doctor(t);
  const missing = await run({ GPTJ_LLAMA_LIBRARY: folder }, '--json');
  // The kernels compute: llama.cpp is needed for GPUs and for quantising.
  assert.equal(stateOf(missing, 'llama.cpp'), stateOf(missing, 'kernels') === 'ok' ? 'warning' : 'fault');
  assert.match(missing.stdout, /expected libggml and libllama/);
});
