import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../config-error.ts';
import { parseConfig } from './parse-config.ts';

test('sizes the engine by its settings, and leaves to it what they leave out', () => {
  assert.deepEqual(parseConfig({}).engineSize, { checksMemory: true });
  const settings = { ENGINE_THREADS: '4', ENGINE_CONTEXT: '512', ENGINE_CACHE_MB: '100', ENGINE_GPU_LAYERS: '0' };
  assert.deepEqual(parseConfig({ ...settings, ENGINE_MEMORY_CHECK: 'off' }).engineSize, {
    checksMemory: false,
    threads: 4,
    contextLength: 512,
    cacheBytes: 100 * 2 ** 20,
    gpuLayers: 0,
  });
  assert.deepEqual(parseConfig({ ENGINE_CACHE_TOKENS: '4096', ENGINE_GPU_LAYERS: 'all' }).engineSize, {
    checksMemory: true,
    cacheCells: 4096,
  });
});

test('refuses two sizes of the cache, and values that are no size', () => {
  for (const settings of [
    { ENGINE_CACHE_TOKENS: '1', ENGINE_CACHE_MB: '1' },
    { ENGINE_THREADS: '-1' },
    { ENGINE_THREADS: '2000' },
    { ENGINE_GPU_LAYERS: 'some' },
    { GPTJ_MODEL_TYPE: 'q3' },
  ]) {
    assert.throws(() => parseConfig(settings), ConfigError, JSON.stringify(settings));
  }
});
