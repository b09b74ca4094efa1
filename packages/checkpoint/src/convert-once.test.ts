import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { convertOnce } from './convert-once.ts';
import { temporaryFolder } from './reader.contract.ts';
import { wideFolder } from './testing/wide-folder.ts';

/** A lock whose holders are counted. */
function countingLock() {
  let held = 0;
  let max = 0;
  let free = Promise.resolve();
  const lock = async () => {
    const before = free;
    let release = (): void => {};
    free = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    max = Math.max(max, ++held);
    return {
      async release() {
        held--;
        release();
      },
    };
  };
  return { lock, max: () => max };
}

test('converts a folder once for its contents and type, whatever its name and times', async (t) => {
  const folder = temporaryFolder(t);
  const models = join(folder, 'models');
  const source = join(folder, 'gpt-j tiny');
  cpSync(wideFolder(t), source, { recursive: true });
  const { lock } = countingLock();
  const convert = (from: string, type: 'f16' | 'f32' = 'f16') => convertOnce({ source: from, models, type, lock });
  const first = await convert(source);
  assert.ok(
    first.summary !== null && /models\/gpt-j_tiny-[0-9a-f]{16}-f16\.gguf$/.test(first.path.replaceAll('\\', '/')),
  );
  utimesSync(join(source, 'config.json'), 1, 1);
  assert.deepEqual(await convert(source), { path: first.path, summary: null });
  assert.notEqual((await convert(source, 'f32')).summary, null);
  appendFileSync(join(source, 'config.json'), '\n');
  const changed = await convert(source);
  assert.ok(changed.summary !== null && changed.path !== first.path);
  const renamed = join(folder, 'gpt-j_tiny');
  renameSync(source, renamed);
  assert.deepEqual(await convert(renamed), { path: changed.path, summary: null });
});

test('of calls at the same time one converts; what a killed conversion left is removed', async (t) => {
  const folder = temporaryFolder(t);
  const { lock, max } = countingLock();
  const source = wideFolder(t);
  await convertOnce({ source, models: folder, type: 'f32', lock });
  writeFileSync(join(folder, '.left.gguf.0123456789ab.partial'), 'x');
  const once = () => convertOnce({ source, models: folder, type: 'f16', lock });
  const converted = await Promise.all([once(), once(), once()]);
  assert.equal(converted.filter(({ summary }) => summary !== null).length, 1);
  assert.equal(max(), 1);
  assert.equal(readdirSync(folder).length, 2);
});

test('a conversion that fails leaves no file and gives the lock back', async (t) => {
  const folder = temporaryFolder(t);
  const { lock } = countingLock();
  const source = join(folder, 'source');
  cpSync(wideFolder(t), source, { recursive: true });
  writeFileSync(join(source, 'config.json'), '{}');
  const models = join(folder, 'models');
  await assert.rejects(convertOnce({ source, models, type: 'f16', lock }), { name: 'CheckpointError' });
  assert.deepEqual(readdirSync(models), []);
  await convertOnce({ source: wideFolder(t), models, type: 'f16', lock });
});
