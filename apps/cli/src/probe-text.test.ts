import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { convertCheckpoint } from '@gptj-cloud/checkpoint';
import { embeddedModel } from './default-model.ts';
import { probeText } from './probe-text.ts';

const RANDOM = fileURLToPath(
  new URL('../../../packages/checkpoint/fixtures/cases/a01-lm-head-not-contiguous', import.meta.url),
);

test('a trained model is no noise, a random one is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gptj-probe-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const trained = await probeText(embeddedModel() ?? '');
  assert.deepEqual([trained.error, trained.isNoise], [null, false]);
  assert.ok(trained.perplexity < 100, String(trained.perplexity));
  const path = join(folder, 'random.gguf');
  await convertCheckpoint({ source: RANDOM, target: path, type: 'f32' });
  assert.deepEqual({ ...(await probeText(path)), perplexity: 0 }, { perplexity: 0, isNoise: true, error: null });
});

test('a file that cannot be opened is reported, not thrown', async () => {
  const { error, isNoise } = await probeText('/nowhere/model.gguf');
  assert.match(error ?? '', /nowhere/);
  assert.equal(isNoise, false);
});
