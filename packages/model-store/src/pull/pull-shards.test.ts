import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LoopbackHubOptions } from '../testing/loopback-hub.ts';
import { openPullWorld } from '../testing/pull-world.ts';
import { randomCheckpoint } from '../testing/random-checkpoint.ts';

const SHARDS = 4;
const FILES = randomCheckpoint({ layerCount: 3, embeddingSize: 128, shards: SHARDS });
const SHARD = /^model-.*\.safetensors(?:\.part)?$/;

const world = (t: TestContext, hub: Partial<LoopbackHubOptions> = {}) => openPullWorld(t, { files: FILES, hub });

test('shards are converted while the next one is downloaded, at most two are on the disk, and the file is that of the whole', async (t) => {
  const seen: number[] = [];
  const { models, events, pull, staged, whole } = await world(t, {
    fault: () => {
      seen.push(staged().filter((name) => SHARD.test(name)).length);
      return null;
    },
  });
  const stored = await pull();
  assert.deepEqual(await readFile(stored.path), await whole());
  assert.equal(seen.length, SHARDS);
  assert.ok(Math.max(...seen) <= 2, seen.join());
  assert.deepEqual((await readdir(models)).length, 2);
  const done = events.flatMap((event) => (event.type === 'download' ? [event.doneBytes] : []));
  assert.deepEqual(
    done,
    done.toSorted((a, b) => a - b),
  );
  const firstConvert = events.findIndex(({ type }) => type === 'convert');
  const lastDownload = events.findLastIndex(({ type }) => type === 'download');
  assert.ok(firstConvert < 0 || firstConvert > lastDownload);
});

test('a shard whose hash is wrong is not converted, and the next pull goes on without those that were', async (t) => {
  let isBroken = true;
  const { models, hub, pull, staged, whole } = await world(t, {
    fault: ({ file }) => (isBroken && file.includes('3-of') ? { kind: 'corrupt', at: 5000 } : null),
  });
  await assert.rejects(pull(), { code: 'hash_mismatch' });
  assert.deepEqual(await readdir(models), ['.pulls']);
  const state = staged().find((name) => name.endsWith('.state'));
  assert.ok(state !== undefined);
  const [path] = readdirSync(models, { recursive: true }).filter((name) => String(name).endsWith('.state'));
  const { files }: { files: object } = JSON.parse(await readFile(join(models, String(path)), 'utf8'));
  assert.deepEqual(
    Object.keys(files).map((name) => name.slice(0, 11)),
    ['model-00001', 'model-00002'],
  );
  assert.deepEqual(
    staged().filter((name) => SHARD.test(name)),
    [],
  );
  isBroken = false;
  const served = hub.served.length;
  const stored = await pull();
  assert.deepEqual(await readFile(stored.path), await whole());
  assert.ok(hub.served.slice(served).every(({ file }) => /[34]-of/.test(file)));
});

test('a shard that was converted and is still there goes before the next one is downloaded', async (t) => {
  let isBroken = true;
  const seen: string[] = [];
  const { models, pull, staged, whole } = await world(t, {
    fault: ({ file }) => {
      if (!isBroken) seen.push(...staged().filter((name) => /^model-0000[12]/.test(name)));
      return isBroken && file.includes('3-of') ? { kind: 'corrupt', at: 5000 } : null;
    },
  });
  await assert.rejects(pull(), { code: 'hash_mismatch' });
  // What a process leaves that is killed after its list was written.
  const config = readdirSync(models, { recursive: true }).find((name) => String(name).endsWith('config.json'));
  const [first] = [...FILES].filter(([name]) => name.includes('1-of'));
  await writeFile(join(models, dirname(String(config)), first![0]), first![1]);
  isBroken = false;
  assert.deepEqual(await readFile((await pull()).path), await whole());
  assert.deepEqual(seen, []);
});

test('weights that cannot be converted end the download, with the error of the conversion', async (t) => {
  const files = new Map(FILES);
  const [name] = [...files.keys()].filter((each) => each.includes('1-of'));
  const bytes = Uint8Array.from(files.get(name!)!);
  // The last weight of layer 0's part: an infinity.
  bytes.set([0x00, 0x7c], bytes.byteLength - 2);
  files.set(name!, bytes);
  const { models, hub, pull } = await world(t, { files, paceMs: 5 });
  await assert.rejects(pull(), { name: 'CheckpointError', code: 'out_of_range' });
  assert.deepEqual(await readdir(models), ['.pulls']);
  assert.ok(hub.served.every(({ file }) => !file.includes('4-of')));
});

test('a disk without room for the file and one shard is refused before a shard is downloaded', async (t) => {
  const huge = 10 ** 14;
  const { hub, pull } = await world(t, {
    listing: ({ sha, siblings }) => ({
      sha,
      siblings: (siblings as { rfilename: string; lfs?: object }[]).map((entry) =>
        entry.rfilename.includes('2-of') ? { ...entry, lfs: { ...entry.lfs, size: huge } } : entry,
      ),
    }),
  });
  await assert.rejects(pull(), {
    code: 'disk_full',
    message: /expected 100000\.\d GB free \(.* for the f16 file and 100000\.0 GB for the largest of 4 shards/,
  });
  assert.deepEqual(hub.served, []);
});
