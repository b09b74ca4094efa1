import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import type { LoopbackHubOptions } from '../testing/loopback-hub.ts';
import { openPullWorld } from '../testing/pull-world.ts';
import { randomCheckpoint } from '../testing/random-checkpoint.ts';

const FILES = randomCheckpoint({ layerCount: 3, embeddingSize: 128 });
const WEIGHTS = FILES.get('model.safetensors')!;
/** One segment after the other, so that what is requested says what has arrived. */
const SIZES = { connections: 1, segmentBytes: 2 ** 17, journalBytes: 2 ** 16 };

const world = (t: TestContext, hub: Partial<LoopbackHubOptions> = {}) =>
  openPullWorld(t, { files: FILES, sizes: SIZES, hub });

test('weights in one file are converted while they are downloaded, and the file is that of a conversion afterwards', async (t) => {
  const written: number[] = [];
  const { models, hub, events, pull, blocks, whole } = await world(t, {
    paceMs: 20,
    fault: () => {
      written.push(blocks('.gguf.part'));
      return null;
    },
  });
  const stored = await pull();
  const expected = await whole();
  assert.deepEqual(await readFile(stored.path), expected);
  assert.ok(written.at(-1)! > 100_000, written.join());
  // Both ends before what is between.
  const last = Math.floor((WEIGHTS.byteLength - 1) / SIZES.segmentBytes) * SIZES.segmentBytes;
  assert.deepEqual(
    hub.served.slice(0, 3).map(({ start }) => start),
    [0, last - SIZES.segmentBytes, last],
  );
  assert.equal(new Set(hub.served.map(({ start }) => start)).size, hub.served.length);
  const kinds = events.map(({ type }) => type).filter((type) => type === 'download' || type === 'convert');
  assert.ok(!kinds.slice(0, kinds.lastIndexOf('download')).includes('convert'));
  assert.equal((await readdir(models)).length, 2);
});

test('what was converted from a download whose hash is wrong is converted again from the next one', async (t) => {
  let corrupt = 1;
  const { hub, events, pull, whole } = await world(t, {
    fault: ({ start }) => (start === SIZES.segmentBytes && corrupt-- > 0 ? { kind: 'corrupt', at: start + 999 } : null),
  });
  const stored = await pull();
  assert.deepEqual(await readFile(stored.path), await whole());
  assert.ok(events.some((event) => event.type === 'wait' && /expected the SHA-256/.test(event.reason)));
  assert.equal(hub.served.filter(({ start }) => start === 0).length, 2);
});

test('a hash that stays wrong stores nothing, and the next pull begins anew', async (t) => {
  let isBroken = true;
  const { models, pull, whole } = await world(t, {
    fault: ({ start }) => (isBroken && start === SIZES.segmentBytes ? { kind: 'corrupt', at: start + 999 } : null),
  });
  await assert.rejects(pull(), { code: 'hash_mismatch' });
  assert.deepEqual(await readdir(models), ['.pulls']);
  isBroken = false;
  assert.deepEqual(await readFile((await pull()).path), await whole());
});

test('wrong bytes that do not convert are downloaded again', async (t) => {
  let corrupt = 1;
  const { pull, whole } = await world(t, {
    // In the header of the file.
    fault: ({ start }) => (start === 0 && corrupt-- > 0 ? { kind: 'corrupt', at: 12 } : null),
  });
  assert.deepEqual(await readFile((await pull()).path), await whole());
});

test('weights that cannot be converted are refused with the error of the conversion, and not downloaded again', async (t) => {
  const files = new Map(FILES);
  const bytes = Uint8Array.from(WEIGHTS);
  // The first weight: an infinity.
  bytes.set([0x00, 0x7c], 8 + Number(Buffer.from(bytes.buffer).readBigUInt64LE()));
  files.set('model.safetensors', bytes);
  const { models, hub, pull } = await world(t, { files });
  await assert.rejects(pull(), { name: 'CheckpointError', code: 'out_of_range' });
  const served = hub.served.length;
  await assert.rejects(pull(), { name: 'CheckpointError', code: 'out_of_range' });
  assert.equal(hub.served.length, served);
  assert.deepEqual(await readdir(models), ['.pulls']);
});

test('a pull that is stopped keeps its download, and the next one converts from the disk', async (t) => {
  const stop = new AbortController();
  const { hub, pull, whole } = await world(t, {
    fault: ({ start }) => {
      if (start === 2 * SIZES.segmentBytes) stop.abort();
      return null;
    },
  });
  await assert.rejects(pull(stop.signal), { code: 'aborted' });
  const served = hub.served.length;
  assert.deepEqual(await readFile((await pull()).path), await whole());
  assert.ok(hub.served.slice(served).every(({ start }) => start >= 2 * SIZES.segmentBytes));
});
