/** Models of a data folder are kept as long as a running server uses them: `gptj rm` and `gptj pull` are other processes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { spawnEngine } from '@gptj-cloud/engine';
import { listModels, modelsFolder, pullModel, removeStoredModel } from '@gptj-cloud/model-store';
import { type RunningServer, serve } from '../main.ts';
import { tryLockFolder } from '../store/try-lock-folder.ts';
import { storeTiny } from '../testing/store-tiny.ts';
import { until } from '../testing/until.ts';
import { openModels } from './open-models.ts';

const TOKEN = 'test-token-0123456789';
const FIRST = 'first.f32-000000000000.gguf';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-model-uses-'));
});
after(() => rm(folder, { recursive: true }));

async function dataFolder(name: string): Promise<string> {
  const dataDir = join(folder, name);
  for (const model of ['first', 'second', 'third']) await storeTiny(folder, dataDir, model);
  return dataDir;
}

const remove = (dataDir: string, name: string): Promise<unknown> =>
  removeStoredModel(modelsFolder(dataDir), name, tryLockFolder, AbortSignal.timeout(60_000));

const isThere = (dataDir: string, file: string): Promise<boolean> =>
  access(join(modelsFolder(dataDir), file)).then(
    () => true,
    () => false,
  );

async function start(
  dataDir: string,
  environment: Readonly<Record<string, string>> = { GPTJ_MODEL: 'first' },
  spawn: typeof spawnEngine = spawnEngine,
): Promise<RunningServer> {
  return await serve(
    { port: 0, apiToken: TOKEN, dataDir },
    {
      environment: { MODEL_MEMORY_MB: '2000', ...environment },
      openModel: (config, modelStart) => openModels(config, modelStart, spawn),
      print: () => {},
      log: () => {},
      terminal: { print: true, log: false, colours: false },
    },
  );
}

async function ask(server: RunningServer, method: string, path: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  return await fetch(server.url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

test('a model that a running server uses is not deleted, and the refusal says what to do', async () => {
  const dataDir = await dataFolder('refused');
  const server = await start(dataDir);
  try {
    const served = await ask(server, 'POST', '/v2/admin/models/served', { model: 'second', name: 'small' });
    assert.equal(served.status, 200, await served.text());
    await assert.rejects(remove(dataDir, 'first'), { code: 'in_use', message: /first\.f32.*GPTJ_MODEL.*stop it/ });
    const ofAdded = { code: 'in_use', message: /second\.f32.*as small; gptj admin unserve small ends that/ };
    await assert.rejects(remove(dataDir, 'second.f32'), ofAdded);
    await assert.rejects(remove(dataDir, 'second'), ofAdded);
    await remove(dataDir, 'third');
    assert.equal((await ask(server, 'DELETE', '/v2/admin/models/served/small')).status, 200);
    await until(() =>
      remove(dataDir, 'second').then(
        () => true,
        () => false,
      ),
    );
    assert.deepEqual(
      (await listModels(modelsFolder(dataDir))).map(({ name }) => name),
      ['first'],
    );
  } finally {
    await server.close();
  }
  await remove(dataDir, 'first');
});

test('models are kept while a server still loads the first of them, and not after that has failed', async () => {
  const settings: readonly (readonly [Readonly<Record<string, string>>, readonly string[]])[] = [
    [{ GPTJ_MODEL: 'first', GPTJ_DRAFT_MODEL: 'second' }, ['first', 'second']],
    [{ GPTJ_MODELS: 'first,second' }, ['first', 'second']],
  ];
  for (const [at, [environment, names]] of settings.entries()) {
    const dataDir = await dataFolder(`loading-${at}`);
    const spawn = async (): Promise<never> => {
      for (const name of names) await assert.rejects(remove(dataDir, name), { code: 'in_use' });
      await remove(dataDir, 'third');
      throw new Error('the engine ends');
    };
    await assert.rejects(start(dataDir, environment, spawn), /the engine ends/);
    for (const name of names) await remove(dataDir, name);
  }
});

test('a server in another process counts as long as it lives, and not after it was killed', async () => {
  const dataDir = await dataFolder('killed');
  const entry = fileURLToPath(new URL('../testing/embedded-server.js', import.meta.url));
  const env = { ...process.env, GPTJ_MODEL: 'first', HOST: '127.0.0.1' };
  const child = spawn(process.execPath, [entry, dataDir], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let printed = '';
  for await (const chunk of child.stdout) {
    printed += chunk;
    if (printed.includes('listens on')) break;
  }
  assert.match(printed, /listens on/);
  await assert.rejects(remove(dataDir, 'first'), { code: 'in_use' });
  child.kill('SIGKILL');
  await ended;
  await remove(dataDir, 'first');
  assert.deepEqual(await readdir(join(modelsFolder(dataDir), '.uses')), []);
});

test('a pull replaces a model that a server uses: the server keeps its file until it ends', async () => {
  const dataDir = await dataFolder('replaced');
  const server = await start(dataDir);
  const machine = { totalBytes: 2 ** 40, freeBytes: 2 ** 40, isLimited: false };
  try {
    const { file } = await pullModel({
      from: folder,
      name: 'first',
      type: 'f32',
      models: modelsFolder(dataDir),
      machine,
      tryLock: tryLockFolder,
      onEvent: () => {},
      signal: AbortSignal.timeout(60_000),
      endpoint: 'http://127.0.0.1:9',
      token: null,
      hubCache: null,
      offline: false,
      fetch: () => assert.fail('nothing is downloaded'),
      checksMemory: false,
    });
    assert.notEqual(file, FIRST);
    assert.deepEqual([await isThere(dataDir, FIRST), await isThere(dataDir, file)], [true, true]);
    const reply = await ask(server, 'POST', '/v1/completions', { prompt: 'ab', max_tokens: 2 });
    assert.equal(reply.status, 200, await reply.text());
    // The next start opens the new one.
    await remove(dataDir, 'first');
    assert.deepEqual([await isThere(dataDir, FIRST), await isThere(dataDir, file)], [true, false]);
  } finally {
    await server.close();
  }
  assert.equal(await isThere(dataDir, FIRST), false);
});
