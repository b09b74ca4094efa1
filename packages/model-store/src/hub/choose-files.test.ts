import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseFiles, shardsOf } from './choose-files.ts';

const SMALL = ['config.json', 'tokenizer.json'];
/** What the hub has at the branch `main` of GPT-J, without the weights that convert. */
const OTHERS = [
  '.gitattributes',
  'README.md',
  'tf_model.h5',
  'flax_model.msgpack',
  'rust_model.ot',
  'merges.txt',
  'vocab.json',
];

const choose = (...names: string[]) => chooseFiles('a/b', [...OTHERS, ...SMALL, ...names]);

test('prefers safetensors to PyTorch, and shards of PyTorch to one file', () => {
  const [single, index] = ['model.safetensors', 'model.safetensors.index.json'];
  const [bin, binIndex] = ['pytorch_model.bin', 'pytorch_model.bin.index.json'];
  assert.deepEqual(choose(single, bin), { small: SMALL, weights: [single], index: null });
  assert.deepEqual(choose(single, index), { small: SMALL, weights: [single], index: null });
  assert.deepEqual(choose(index, bin), { small: [...SMALL, index], weights: [], index });
  assert.deepEqual(choose(bin, binIndex), { small: [...SMALL, binIndex], weights: [], index: binIndex });
  assert.deepEqual(choose(bin), { small: SMALL, weights: [bin], index: null });
});

test('takes the files of added tokens, and vocabulary and merges where there is no tokenizer.json', () => {
  const added = ['tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json'];
  assert.deepEqual(choose('pytorch_model.bin', ...added).small, [...SMALL, ...added]);
  const old = chooseFiles('a/b', ['config.json', 'vocab.json', 'merges.txt', 'pytorch_model.bin']);
  assert.deepEqual(old.small, ['config.json', 'vocab.json', 'merges.txt']);
});

test('names what is missing and what is there', () => {
  assert.throws(() => choose(), {
    code: 'not_convertible',
    message: /expected weights as model\.safetensors .* found .*tf_model\.h5/,
  });
  assert.throws(() => chooseFiles('a/b', ['model.safetensors']), {
    message: /expected config\.json, found model\.safetensors/,
  });
  assert.throws(() => chooseFiles('a/b', ['config.json']), {
    message: /expected tokenizer\.json, or vocab\.json and merges\.txt/,
  });
});

test('the shards of an index are plain names of files that exist, each once', () => {
  const names = ['m-1.bin', 'm-2.bin'];
  const shards = (map: unknown) => shardsOf('a/b', 'index.json', { weight_map: map }, names);
  assert.deepEqual(shards({ x: 'm-2.bin', y: 'm-1.bin', z: 'm-2.bin' }), names);
  for (const [map, message] of [
    [{ x: '../m-1.bin' }, /plain name/],
    [{ x: 'm-3.bin' }, /a file of the repository, got "m-3\.bin"/],
    [{ x: 7 }, /plain name of a file, got 7/],
    [{}, /1 to 1024 files, got 0/],
    ['x', /weight_map to be an object/],
  ] as const) {
    assert.throws(() => shards(map), { code: 'not_convertible', message });
  }
});
