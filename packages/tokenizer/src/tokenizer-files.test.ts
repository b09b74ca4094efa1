import assert from 'node:assert/strict';
import test from 'node:test';
import { spellByte } from './byte-level.ts';
import { createTokenizer, parseTokenizerFiles, type TokenizerFiles } from './index.ts';

const vocab = Object.fromEntries(
  [...Array.from({ length: 256 }, (_, byte) => spellByte(byte)), 'he'].map((token, id) => [token, id]),
);
const added = (id: number, content: string, flags: object = {}): object => ({ id, content, special: false, ...flags });

function json(addedTokens: readonly object[]): unknown {
  return {
    added_tokens: addedTokens,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab, merges: ['h e'] },
  };
}

/** Content, id and whether it is special, of each added token. The expected values are those of transformers 5.18. */
function addedTokens(files: TokenizerFiles, vocabSize = 300): readonly unknown[] {
  return parseTokenizerFiles(files, vocabSize).data.addedTokens.map(({ content, id, special }) => [
    content,
    id,
    special,
  ]);
}

test('GPT2Tokenizer sorts added tokens by the ids in the file and adds <|endoftext|>', () => {
  const tokenizerJson = json([added(290, '[B]'), added(280, '[A]', { special: true })]);
  for (const tokenizerConfig of [undefined, { tokenizer_class: null }, { tokenizer_class: 'GPT2TokenizerFast' }]) {
    assert.deepEqual(addedTokens({ tokenizerJson, tokenizerConfig }), [
      ['[A]', 257, true],
      ['[B]', 258, false],
      ['<|endoftext|>', 259, true],
    ]);
  }
});

test('new added tokens are numbered from the size of a vocabulary with gaps, also after one that it holds', () => {
  const files = {
    vocabJson: { ...vocab, '<|endoftext|>': 262 },
    mergesText: 'h e\n',
    tokenizerConfig: { tokenizer_class: 'GPT2Tokenizer', pad_token: '[PAD]', additional_special_tokens: ['[X]'] },
    addedTokensJson: { '[A]': 263 },
  };
  assert.deepEqual(addedTokens(files), [
    ['[A]', 258, false],
    ['[PAD]', 259, true],
    ['[X]', 260, true],
    ['<|endoftext|>', 262, true],
  ]);
});

test('PreTrainedTokenizerFast keeps the order of the file and adds the tokens of the config', () => {
  const tokenizerConfig = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    eos_token: '<|end|>',
    pad_token: { content: '[A]' },
    additional_special_tokens: ['[X]'],
  };
  assert.deepEqual(addedTokens({ tokenizerJson: json([added(290, '[B]'), added(280, '[A]')]), tokenizerConfig }), [
    ['[B]', 257, false],
    ['[A]', 258, true],
    ['<|end|>', 259, true],
    ['[X]', 260, true],
  ]);
});

test('added_tokens_decoder replaces special_tokens_map.json and added_tokens.json', () => {
  const files = {
    vocabJson: vocab,
    mergesText: '#version: 0.2\r\nh e\r\n',
    tokenizerConfig: {
      added_tokens_decoder: { 258: added(258, '[D]'), 257: added(257, '<|endoftext|>', { special: true }) },
    },
    specialTokensMap: { eos_token: 'ignored' },
    addedTokensJson: { ignored: 257 },
  };
  assert.deepEqual(addedTokens(files), [
    ['<|endoftext|>', 257, true],
    ['[D]', 258, false],
  ]);
  const { data } = parseTokenizerFiles(files, 300);
  assert.deepEqual(createTokenizer(data).encode('he[D]<|endoftext|>'), [256, 258, 257]);
});

test('reads special_tokens_map.json and added_tokens.json if added_tokens_decoder is absent', () => {
  const files = {
    vocabJson: vocab,
    mergesText: 'h e',
    specialTokensMap: { pad_token: '[P]' },
    addedTokensJson: { '[P]': 257 },
  };
  assert.deepEqual(addedTokens(files), [
    ['[P]', 257, true],
    ['<|endoftext|>', 258, true],
  ]);
});

test('added tokens without a row are dropped and reported', () => {
  const files = { tokenizerJson: json([added(257, '<|endoftext|>', { special: true }), added(258, '[PAD]')]) };
  const { data, dropped } = parseTokenizerFiles(files, 258);
  assert.deepEqual([data.addedTokens.length, dropped], [1, ['[PAD]']]);
});

test('without tokenizer.json, refuses settings that add tokens to every text', () => {
  for (const name of ['add_bos_token', 'add_eos_token']) {
    const tokenizerConfig = { [name]: true };
    assert.throws(() => parseTokenizerFiles({ vocabJson: vocab, mergesText: 'h e', tokenizerConfig }, 300), {
      code: 'unsupported_tokenizer',
      message: new RegExp(name),
    });
    assert.doesNotThrow(() => parseTokenizerFiles({ tokenizerJson: json([]), tokenizerConfig }, 300));
  }
});
