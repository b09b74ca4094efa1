import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from './parse-config.ts';

const choice = (modelPath: string | null, modelName: string | null = null, name: string | null = null) => ({
  name,
  modelPath: modelPath === null ? null : resolve(modelPath),
  modelName,
});

test('GPTJ_MODELS names models by name, file and folder, each perhaps with a name of its own', () => {
  const { models, modelPath, modelName } = parseConfig({ GPTJ_MODELS: 'gpt-j-6b, story=/m/a.gguf ,./folder' });
  assert.deepEqual(models, [choice('gpt-j-6b', 'gpt-j-6b'), choice('/m/a.gguf', null, 'story'), choice('./folder')]);
  assert.deepEqual([modelPath, modelName], [resolve('gpt-j-6b'), 'gpt-j-6b']);
});

test('GPTJ_MODEL comes before them, and is not named twice', () => {
  const { models } = parseConfig({ GPTJ_MODEL: 'b', GPTJ_MODELS: 'a,b' });
  assert.deepEqual(models, [choice('b', 'b'), choice('a', 'a')]);
});

test('one model is served without a host', () => {
  assert.deepEqual(parseConfig({ GPTJ_MODEL: 'a' }).models, []);
  assert.deepEqual(parseConfig({}).models, []);
});

test('a path may contain the sign that ends a name', () => {
  const { models } = parseConfig({ GPTJ_MODELS: '/m/x=1.gguf,y=/m/x=2.gguf' });
  assert.deepEqual(models, [choice('/m/x=1.gguf'), choice('/m/x=2.gguf', null, 'y')]);
});

test('an entry without a source is refused', () => {
  for (const text of ['a=', '=a', 'a,=b']) {
    assert.throws(() => parseConfig({ GPTJ_MODELS: text }), { name: 'ConfigError', message: /^GPTJ_MODELS: expected/ });
  }
});

test('MODEL_MEMORY_MB is in units of a million bytes, and 0 means what is free', () => {
  assert.equal(parseConfig({ MODEL_MEMORY_MB: '12000' }).modelMemoryBytes, 12e9);
  assert.equal(parseConfig({}).modelMemoryBytes, null);
});
