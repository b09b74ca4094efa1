import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fingerprintModel } from './model-fingerprint.ts';

test('is the same for the same file, and differs by size, content and settings', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-fingerprint-'));
  try {
    const path = join(folder, 'model');
    const about = { kind: 'llama', cacheType: 'f16' };
    const content = Buffer.alloc(300_000, 'weights');
    const of = async (bytes: Uint8Array, settings = about): Promise<string> => {
      await writeFile(path, bytes);
      return await fingerprintModel(path, settings);
    };
    const first = await of(content);
    assert.equal(await of(content, { cacheType: 'f16', kind: 'llama' }), first);
    const ended = Buffer.from(content);
    ended[ended.byteLength - 1]! ^= 1;
    const others = [
      await of(content.subarray(1)),
      await of(ended),
      await of(content, { ...about, cacheType: 'f32' }),
      await of(Buffer.alloc(0)),
    ];
    assert.equal(new Set([first, ...others]).size, 5);
  } finally {
    await rm(folder, { recursive: true });
  }
});
