import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openCheckpoint } from '@gptj-cloud/checkpoint';
import { exportModel } from '../bundle/export-model.ts';
import { SYSTEM_CLOCK } from '../download/clock.ts';
import { findModel, listModels } from '../store/model-store.ts';
import { type LoopbackHubOptions, startLoopbackHub } from '../testing/loopback-hub.ts';
import { randomCheckpoint } from '../testing/random-checkpoint.ts';
import { testLocks } from '../testing/test-locks.ts';
import type { PullEvent } from './pull-events.ts';
import { pullModel } from './pull-model.ts';
import type { PullOptions } from './pull-options.ts';

const GIB = 2 ** 30;

async function world(t: TestContext, hubOptions: Partial<LoopbackHubOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-pull-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const hub = await startLoopbackHub({
    repository: 'EleutherAI/gpt-j-6b',
    files: randomCheckpoint(),
    ...hubOptions,
  });
  t.after(() => hub.close());
  const events: PullEvent[] = [];
  const models = join(folder, 'models');
  const pull = (options: Partial<PullOptions> = {}) =>
    pullModel({
      models,
      from: 'gpt-j-6b',
      name: null,
      type: null,
      endpoint: hub.url,
      token: null,
      hubCache: null,
      offline: false,
      fetch: async (url, init) => await fetch(url, init),
      clock: { ...SYSTEM_CLOCK, sleep: async () => {} },
      tryLock: testLocks(),
      machine: { totalBytes: 16 * GIB, freeBytes: 12 * GIB, isLimited: false },
      checksMemory: true,
      onEvent: (event) => events.push(event),
      signal: new AbortController().signal,
      ...options,
    });
  return { folder, models, hub, events, pull };
}

test('pulls the float16 branch of gpt-j-6b, converts it and leaves the model alone in the store', async (t) => {
  const { models, hub, events, pull } = await world(t);
  const stored = await pull();
  assert.deepEqual(
    [stored.name, stored.type, stored.source],
    ['gpt-j-6b', 'q8_0', { kind: 'hub', from: 'EleutherAI/gpt-j-6b', revision: 'float16', commit: hub.commit }],
  );
  assert.deepEqual((await readdir(models)).sort(), [stored.file, 'gpt-j-6b.q8_0.json'].sort());
  const checkpoint = await openCheckpoint(stored.path);
  t.after(() => checkpoint.close());
  assert.equal(checkpoint.modelName, 'EleutherAI/gpt-j-6b');
  assert.equal((await readFile(stored.path)).byteLength, stored.sizeBytes);
  assert.ok(hub.hubRequests.every((path) => !/flax|tf_model|rust|README/.test(path)));
  assert.equal(events[0]?.type, 'source');
  assert.deepEqual(await findModel(models, 'gpt-j-6b'), stored);
  assert.deepEqual(await listModels(models), [stored]);
});

const FREE = (bytes: number) => ({ totalBytes: bytes, freeBytes: bytes, isLimited: false });

test('downloads nothing where the store has the commit already, unless another type is requested', async (t) => {
  const { models, hub, events, pull } = await world(t);
  const stored = await pull();
  const served = hub.served.length;
  assert.deepEqual(await pull(), stored);
  // Less memory is free while the model is served: the type of before stays.
  assert.deepEqual(await pull({ machine: FREE(1e8) }), stored);
  assert.deepEqual([hub.served.length, events.at(-1)], [served, { type: 'present', model: 'gpt-j-6b.q8_0' }]);
  assert.deepEqual((await readdir(models)).length, 2);
  assert.equal((await pull({ type: 'f16' })).type, 'f16');
  await rm(stored.path);
  assert.deepEqual((await pull({ type: 'q8_0' })).sha256, stored.sha256);
});

test('pulls shards by their index, at a revision and under a name of choice', async (t) => {
  const { hub, pull } = await world(t, { files: randomCheckpoint({ shards: 3 }) });
  const stored = await pull({ from: 'EleutherAI/gpt-j-6b@refs/pr/40', name: 'mine', type: 'f16' });
  assert.deepEqual([stored.name, stored.type, stored.source.revision], ['mine', 'f16', 'refs/pr/40']);
  assert.ok(hub.hubRequests[0]?.endsWith('/revision/refs%2Fpr%2F40'));
});

test('a pull that was stopped goes on at the commit where it began, without the listing', async (t) => {
  const files = randomCheckpoint({ shards: 3 });
  let isBroken = true;
  const { models, hub, events, pull } = await world(t, {
    files,
    fault: ({ file }) => (isBroken && file.includes('2-of') ? { kind: 'status', status: 404 } : null),
  });
  await assert.rejects(pull(), { code: 'not_found' });
  assert.deepEqual(await readdir(models), ['.pulls']);
  isBroken = false;
  const requests = hub.hubRequests.length;
  const served = hub.served.length;
  const stored = await pull();
  assert.equal(stored.source.commit, hub.commit);
  assert.ok(hub.hubRequests.slice(requests).every((path) => path.includes(`/resolve/${hub.commit}/model-0000`)));
  assert.ok(hub.served.slice(served).every(({ file }) => !file.includes('1-of')));
  assert.deepEqual(
    events.filter(({ type }) => type === 'source').map((event) => event.type === 'source' && event.resumed),
    [false, true],
  );
  assert.deepEqual((await readdir(models)).length, 2);
});

test('chooses the type by the free memory and gives the figures, or refuses before the weights are downloaded', async (t) => {
  const { hub, events, pull } = await world(t, { files: randomCheckpoint({ layerCount: 4, embeddingSize: 512 }) });
  const weights = (): number => hub.served.filter(({ file }) => file.startsWith('model')).length;
  await assert.rejects(pull({ machine: FREE(1e8) }), {
    code: 'memory_full',
    message: /smallest type, q4_0, takes 0\.6 GB of memory with one full context, got 0\.1 GB free of 0\.1 GB/,
  });
  await assert.rejects(pull({ machine: FREE(1e8), type: 'f32' }), { code: 'memory_full', message: /no type fits/ });
  assert.equal(weights(), 0);
  // Between what q8_0 and q4_0 take: the tenth of a gigabyte in the figures is too coarse for this model.
  const between = 6.205e8;
  assert.notEqual((await pull({ machine: FREE(between) })).type, 'q8_0');
  const plan = events.find(({ type }) => type === 'plan');
  assert.ok(plan?.type === 'plan' && /q8_0 takes .* of memory/.test(plan.reason), JSON.stringify(plan));
  assert.equal((await pull({ machine: FREE(1e8), type: 'f16', checksMemory: false })).type, 'f16');
});

test('refuses what the disk cannot hold, in figures, before the weights are downloaded', async (t) => {
  const huge = 10 ** 14;
  const { hub, pull } = await world(t, {
    listing: ({ sha, siblings }) => ({
      sha,
      siblings: (siblings as { rfilename: string; lfs?: object }[]).map((entry) =>
        entry.rfilename === 'model.safetensors' ? { ...entry, lfs: { ...entry.lfs, size: huge } } : entry,
      ),
    }),
  });
  await assert.rejects(pull(), {
    code: 'disk_full',
    message: /expected 100000\.\d GB free \(100000\.0 GB to download and/,
  });
  assert.deepEqual(hub.served, []);
});

test('links the files of the Hugging Face cache, and uses a cached revision when the hub is not to be asked', async (t) => {
  const files = randomCheckpoint();
  const { folder, hub, pull } = await world(t, { files });
  const cache = join(folder, 'cache');
  const repository = join(cache, 'models--EleutherAI--gpt-j-6b');
  const snapshot = join(repository, 'snapshots', hub.commit);
  for (const each of [join(repository, 'blobs'), join(repository, 'refs'), snapshot])
    await mkdir(each, { recursive: true });
  const weights = files.get('model.safetensors')!;
  const blob = join(repository, 'blobs', createHash('sha256').update(weights).digest('hex'));
  await writeFile(blob, weights);
  assert.equal((await pull({ hubCache: cache })).type, 'q8_0');
  assert.deepEqual(hub.served, []);
  assert.deepEqual(await readFile(blob), Buffer.from(weights));
  await assert.rejects(pull({ hubCache: cache, offline: true }), { code: 'not_found', message: /HF_HUB_OFFLINE/ });
  await writeFile(join(repository, 'refs', 'float16'), hub.commit);
  for (const [name, bytes] of files) await writeFile(join(snapshot, name), bytes);
  const requests = hub.hubRequests.length;
  const stored = await pull({ hubCache: cache, offline: true, type: 'f16' });
  assert.deepEqual([stored.source.commit, hub.hubRequests.length], [hub.commit, requests]);
});

test('a damaged file of the cache is downloaded instead', async (t) => {
  const files = randomCheckpoint();
  const { folder, hub, pull } = await world(t, { files });
  const blobs = join(folder, 'models--EleutherAI--gpt-j-6b', 'blobs');
  await mkdir(blobs, { recursive: true });
  const weights = Uint8Array.from(files.get('model.safetensors')!);
  const name = createHash('sha256').update(weights).digest('hex');
  weights[9999]! ^= 1;
  await writeFile(join(blobs, name), weights);
  await pull({ hubCache: folder });
  assert.equal(hub.served.length, 1);
});

test('converts a folder where it is, and copies a model file', async (t) => {
  const { folder, models, pull } = await world(t);
  const source = join(folder, 'My Model');
  await mkdir(source);
  for (const [name, bytes] of randomCheckpoint()) await writeFile(join(source, name), bytes);
  const stored = await pull({ from: source, type: 'f16' });
  assert.deepEqual([stored.name, stored.source.kind], ['my-model', 'folder']);
  const copied = await pull({ from: stored.path, name: 'copy' });
  assert.deepEqual([copied.sha256, copied.type, copied.source.kind], [stored.sha256, 'f16', 'file']);
  assert.deepEqual((await readdir(models)).length, 4);
  await assert.rejects(pull({ from: join(source, 'README.md') }), { name: 'CheckpointError' });
});

test('a bundle brings a model to a machine without a network, and is checked', async (t) => {
  const here = await world(t);
  const stored = await here.pull({ type: 'f16' });
  const bundle = join(here.folder, 'model.tar');
  const signal = new AbortController().signal;
  const write = (overwrite = false) =>
    exportModel({ models: here.models, name: 'gpt-j-6b', target: bundle, overwrite, onProgress: () => {}, signal });
  await write();
  await assert.rejects(write(), { code: 'target_exists' });
  await write(true);
  assert.deepEqual((await readdir(here.folder)).sort(), ['model.tar', 'models']);

  const there = await world(t);
  const { storedAt: _, path: __, ...facts } = await there.pull({ from: bundle });
  assert.deepEqual(facts, { ...facts, name: 'gpt-j-6b', sha256: stored.sha256, source: stored.source, type: 'f16' });
  assert.deepEqual(await readFile((await listModels(there.models))[0]!.path), await readFile(stored.path));

  const bytes = await readFile(bundle);
  const damaged = async (change: (bytes: Buffer) => Buffer, code: string) => {
    const path = join(there.folder, 'damaged.tar');
    await writeFile(path, change(Buffer.from(bytes)));
    await assert.rejects(there.pull({ from: path }), { code });
    assert.ok(!(await readdir(there.models)).some((name) => /other/.test(name)));
  };
  const at = bytes.byteLength - 4096;
  await damaged((each) => each.fill(each[at]! ^ 1, at, at + 1), 'hash_mismatch');
  await damaged((each) => each.subarray(0, at), 'bundle_invalid');
  await damaged((each) => each.fill('x', 600, 610), 'bundle_invalid');
  await damaged((each) => Buffer.concat([each.subarray(0, 1024), each.subarray(0, 512)]), 'bundle_invalid');
});

test('an export of a damaged model is refused and leaves no file', async (t) => {
  const { folder, models, pull } = await world(t);
  const { path, name, sizeBytes } = await pull();
  await writeFile(path, new Uint8Array(sizeBytes));
  const target = join(folder, 'x.tar');
  const signal = new AbortController().signal;
  await assert.rejects(exportModel({ models, name, target, overwrite: false, onProgress: () => {}, signal }), {
    code: 'hash_mismatch',
  });
  assert.deepEqual(await readdir(folder), ['models']);
});

test('refuses a name that another source has, and a second process on the same model', async (t) => {
  const { pull } = await world(t);
  await pull();
  const other = pull({ from: 'https://elsewhere.example/x/gpt-j-6b.gguf' });
  await assert.rejects(other, { code: 'name_taken', message: /EleutherAI\/gpt-j-6b; --name gives/ });
  await assert.rejects(pull({ tryLock: async () => null }), { code: 'in_use', message: /another process pulls/ });
});

test('a hub with hostile names, sizes and listings is refused before anything is written elsewhere', async (t) => {
  const index = { weight_map: { 'transformer.wte.weight': '../../../evil.safetensors' } };
  const files = randomCheckpoint({ shards: 2 });
  files.set('model.safetensors.index.json', Buffer.from(JSON.stringify(index)));
  const paths = await world(t, { files });
  await assert.rejects(paths.pull(), {
    code: 'not_convertible',
    message: /expected the plain name of a file, got "\.\./,
  });

  const listing = async (change: (listing: Record<string, unknown>) => unknown, code: string, message: RegExp) => {
    const { models, pull } = await world(t, { listing: change });
    await assert.rejects(pull(), { code, message });
    assert.ok((await readdir(models)).every((name) => name === '.pulls'));
  };
  await listing(() => [], 'reply_invalid', /expected the commit of the revision/);
  await listing((each) => ({ ...each, sha: '../../etc' }), 'reply_invalid', /expected the commit of the revision/);
  await listing((each) => ({ ...each, siblings: 'config.json' }), 'reply_invalid', /expected the files/);
  await listing(
    (each) => ({ ...each, siblings: Array(30_000).fill({ rfilename: 'a' }) }),
    'reply_invalid',
    /20000 files/,
  );
  await listing((each) => ({ ...each, more: 'x'.repeat(17 * 2 ** 20) }), 'reply_invalid', /at most 16777216 bytes/);
  await listing((each) => ({ ...each, siblings: [] }), 'not_convertible', /expected config\.json, found no files/);
  await listing(
    (each) => ({ ...each, siblings: [{ rfilename: '../config.json' }, { rfilename: 'tf_model.h5' }] }),
    'not_convertible',
    /found tf_model\.h5/,
  );
});

test('a server that sends endless bytes or headers is refused with little in memory', async (t) => {
  const server = createServer((request, response) => {
    if (request.url?.includes('headers')) response.writeHead(200, { 'x-fill': 'y'.repeat(200_000) }).end();
    else {
      response.writeHead(200);
      const fill = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(2 ** 20, 'z')));
      };
      response.on('drain', fill);
      fill();
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { pull } = await world(t);
  await assert.rejects(pull({ endpoint: url }), { code: 'reply_invalid', message: /listing of at most/ });
  await assert.rejects(pull({ endpoint: `${url}/headers` }), { code: 'reply_invalid', message: /HEADERS_OVERFLOW/ });
  await assert.rejects(pull({ from: `${url}/x.gguf` }), {
    code: 'reply_invalid',
    message: /expected the size of the file/,
  });
});
