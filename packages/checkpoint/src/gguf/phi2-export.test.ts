import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_6B } from '@gptj-cloud/model';
import { plainAddedToken, type TokenizerData } from '@gptj-cloud/tokenizer';
import { assertRefused } from '../reader.contract.ts';
import type { GgufHeader } from './header.ts';
import type { GgufValue } from './metadata.ts';
import { type Phi2ExportOptions, phi2Metadata, phi2Tensors, readGptjConfig } from './phi2-export.ts';
import { readTokenizerData } from './tokenizer-metadata.ts';

const config = { ...GPTJ_6B, vocabSize: 5, bosTokenId: 2, eosTokenId: 2, eosTokenIds: [2] };
const tokenizer: TokenizerData = {
  tokens: ['a', 'aa', '<|endoftext|>', '### End', ''],
  merges: ['a a'],
  addedTokens: [plainAddedToken(2, '<|endoftext|>', true), plainAddedToken(3, '### End', false)],
  unused: [4],
};

/** The header of a phi2 export, with some metadata replaced, or taken out where null. */
function header(
  changes: Readonly<Record<string, GgufValue | null>> = {},
  parts: Partial<Phi2ExportOptions> = {},
): GgufHeader {
  const metadata = new Map(
    phi2Metadata({ config, tokenizer, modelName: 'x', source: 'x', sourceType: 'f16', fileType: 1, ...parts }),
  );
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) metadata.delete(key);
    else metadata.set(key, value);
  }
  const tensors = phi2Tensors(config).map(({ name, shape }) => ({
    name,
    shape,
    type: 'f16' as const,
    typeId: 1,
    offset: 0,
    sizeBytes: 0,
  }));
  return { metadata, tensors };
}

const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });

test('reads config and vocabulary from the metadata as written', () => {
  assert.deepEqual(readGptjConfig('x', header()), config);
  assert.deepEqual(readTokenizerData('x', header()), tokenizer);
});

test('reads several EOS ids, and none, from the metadata', () => {
  for (const eosTokenIds of [[2, 0], []]) {
    const changed = { ...config, bosTokenId: null, eosTokenId: eosTokenIds[0] ?? null, eosTokenIds };
    assert.deepEqual(readGptjConfig('x', header({}, { config: changed })), changed);
  }
});

test('reads the flags of added tokens as written, and gives rows without a token unique names', () => {
  const addedTokens = tokenizer.addedTokens.map((token) => ({ ...token, lstrip: true, singleWord: true }));
  const flagged = { ...tokenizer, addedTokens };
  assert.deepEqual(readTokenizerData('x', header({}, { tokenizer: flagged })), flagged);
  const names = header().metadata.get('tokenizer.ggml.tokens')?.value;
  assert.deepEqual(names, ['a', 'aa', '<|endoftext|>', '### End', '[PAD4]']);
});

test('reads the extra tokens of GPT-J from a file of an older release, which marks them as unused', () => {
  const old: Readonly<Record<string, GgufValue>> = {
    'tokenizer.ggml.tokens': {
      type: 'array',
      of: 'string',
      value: ['a', 'aa', '<|endoftext|>', '<|extratoken_1|>', 'x'],
    },
    'tokenizer.ggml.token_type': { type: 'array', of: 'int32', value: [1, 1, 3, 5, 5] },
  };
  const { addedTokens, unused } = readTokenizerData('x', header(old));
  assert.deepEqual(addedTokens[1], plainAddedToken(3, '<|extratoken_1|>', false));
  assert.deepEqual(unused, [4]);
});

test('metadata that contradicts itself or lacks a size is refused', async () => {
  const cases: readonly (readonly [Readonly<Record<string, GgufValue | null>>, RegExp])[] = [
    [{ 'phi2.attention.head_count_kv': uint32(4) }, /head_count_kv: expected 16, got 4/],
    [{ 'phi2.rope.dimension_count': uint32(32) }, /dimension_count: expected 64, got 32/],
    [{ 'phi2.block_count': null }, /n_layer/],
    [{ 'phi2.embedding_length': uint32(4095) }, /divisor/],
    [{ 'tokenizer.ggml.eos_token_id': { type: 'float32', value: 0.5 } }, /eos_token_id/],
    [{ 'gptj.layer_norm_epsilon': { type: 'float64', value: Number.NaN } }, /layer_norm_epsilon/],
  ];
  for (const [changes, words] of cases) {
    await assertRefused(
      Promise.resolve().then(() => readGptjConfig('x', header(changes))),
      'invalid_config',
      words,
    );
  }
});

test('a vocabulary of another size, kind or form is refused', async () => {
  const strings = (value: readonly string[]): GgufValue => ({ type: 'array', of: 'string', value });
  const cases: readonly (readonly [Readonly<Record<string, GgufValue | null>>, RegExp])[] = [
    [{ 'tokenizer.ggml.tokens': strings(['a', 'aa']) }, /expected 5 tokens and types .*got 2 and 5/],
    [{ 'tokenizer.ggml.token_type': { type: 'array', of: 'int32', value: [1] } }, /got 5 and 1/],
    [{ 'tokenizer.ggml.model': { type: 'string', value: 'llama' } }, /"gpt2"/],
    [{ 'tokenizer.ggml.merges': strings(['a']) }, /merge 0/],
    [{ 'tokenizer.ggml.merges': null }, /merges/],
  ];
  for (const [changes, words] of cases) {
    await assertRefused(
      Promise.resolve().then(() => readTokenizerData('x', header(changes))),
      'invalid_tokenizer',
      words,
    );
  }
});
