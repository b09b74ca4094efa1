import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { plainAddedToken } from '@gptj-cloud/tokenizer';
import { assertRefused, fixture, temporaryFolder } from './reader.contract.ts';
import { readTokenizerFiles } from './tokenizer-files.ts';

const vocab = { a: 0, b: 1, ab: 2, __proto__x: 3, '<|endoftext|>': 4 };

const EXPECTED = {
  data: {
    tokens: ['a', 'b', 'ab', '__proto__x', '<|endoftext|>', '', ''],
    merges: ['a b'],
    addedTokens: [plainAddedToken(4, '<|endoftext|>', true)],
    unused: [5, 6],
  },
  dropped: [],
};

test('reads tokens by id, merges and unused ids from tokenizer.json', async (t) => {
  const folder = temporaryFolder(t);
  for (const merges of [['a b'], [['a', 'b']]]) {
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ model: { type: 'BPE', vocab, merges } }));
    assert.deepEqual(await readTokenizerFiles(folder, 7), EXPECTED);
  }
});

test('reads the same from vocab.json and merges.txt, also with CRLF, and adds added_tokens.json', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'vocab.json'), JSON.stringify(vocab));
  for (const newline of ['\n', '\r\n']) {
    writeFileSync(join(folder, 'merges.txt'), ['#version: 0.2', 'a b', ''].join(newline));
    assert.deepEqual(await readTokenizerFiles(folder, 7), EXPECTED);
  }
  writeFileSync(join(folder, 'added_tokens.json'), JSON.stringify({ '<|extratoken_7|>': 5, '[PAD]': 7, '[X]': 6 }));
  const { data, dropped } = await readTokenizerFiles(folder, 7);
  assert.deepEqual(data.tokens.slice(5), ['<|extratoken_7|>', '[X]']);
  assert.deepEqual([data.addedTokens.map(({ id }) => id), data.unused, dropped], [[4, 5, 6], [], ['[PAD]']]);
});

const bpe = (model: object, added: unknown = []): unknown => ({
  model: { type: 'BPE', vocab, merges: [], ...model },
  added_tokens: added,
});

const REFUSED: readonly (readonly [what: string, json: unknown, words: RegExp])[] = [
  ['another model', { model: { type: 'Unigram' } }, /"BPE".*got "Unigram"/],
  ['no model', [], /expected an object, got an array/],
  ['a vocabulary that is an array', bpe({ vocab: ['a'] }), /vocab: expected an object/],
  ['an id that is a string', bpe({ vocab: { a: '0' } }), /got "0"/],
  ['two tokens on one id', bpe({ vocab: { a: 0, b: 0 } }), /both "a" and "b"/],
  ['merges that are an object', bpe({ merges: {} }), /merges: expected an array/],
  ['a merge of numbers', bpe({ merges: [[1, 2]] }), /merge 0/],
  ['added tokens without a content', bpe({}, [{ id: 5 }]), /added_tokens: content/],
];

for (const [what, json, words] of REFUSED) {
  test(`${what} is refused`, async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(json));
    await assertRefused(readTokenizerFiles(folder, 7), 'invalid_tokenizer', words);
  });
}

test('settings of tokenizer_config.json that change the tokens are refused', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(bpe({})));
  for (const [config, words] of [
    [{ add_prefix_space: true }, /add_prefix_space: expected false, got true/],
    [{ split_special_tokens: true }, /split_special_tokens/],
    [{ tokenizer_class: 'LlamaTokenizer' }, /tokenizer_class: expected one of GPT2Tokenizer.*"LlamaTokenizer"/],
  ] as const) {
    writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
    await assertRefused(readTokenizerFiles(folder, 7), 'invalid_tokenizer', words);
  }
});

test('a folder without a tokenizer and a Git LFS pointer are refused', async (t) => {
  const folder = temporaryFolder(t);
  await assertRefused(readTokenizerFiles(folder, 7), 'not_found', /tokenizer\.json, or vocab\.json/);
  writeFileSync(join(folder, 'tokenizer.json'), 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n');
  await assertRefused(readTokenizerFiles(folder, 7), 'unsupported', /tokenizer\.json: .*Git LFS pointer/);
  assert.equal((await readTokenizerFiles(fixture('safetensors-f32'), 24)).data.tokens.length, 24);
});
