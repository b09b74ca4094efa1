import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_6B } from '@gptj-cloud/model';
import { assertRefused } from '../reader.contract.ts';
import { TOKEN_TYPE, type TokenizerData } from '../tokenizer-data.ts';
import type { GgufHeader } from './header.ts';
import type { GgufValue } from './metadata.ts';
import { phi2Metadata, phi2Tensors, readGptjConfig, readTokenizerData } from './phi2-export.ts';

const config = { ...GPTJ_6B, vocabSize: 3, bosTokenId: 2, eosTokenId: 2 };
const tokenizer: TokenizerData = {
  tokens: ['a', 'aa', '<|endoftext|>'],
  merges: ['a a'],
  tokenTypes: [TOKEN_TYPE.normal, TOKEN_TYPE.normal, TOKEN_TYPE.control],
};

/** The header of a phi2 export, with some metadata replaced, or taken out where null. */
function header(changes: Readonly<Record<string, GgufValue | null>> = {}): GgufHeader {
  const metadata = new Map(
    phi2Metadata({ config, tokenizer, modelName: 'x', source: 'x', sourceType: 'f16', fileType: 1 }),
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

test('config and vocabulary come back from the metadata as they went in', () => {
  assert.deepEqual(readGptjConfig('x', header()), config);
  assert.deepEqual(readTokenizerData('x', header()), tokenizer);
});

test('metadata that contradicts itself or lacks a size is refused', async () => {
  const cases: readonly (readonly [Readonly<Record<string, GgufValue | null>>, RegExp])[] = [
    [{ 'phi2.attention.head_count_kv': uint32(4) }, /head_count_kv: expected 16, got 4/],
    [{ 'phi2.rope.dimension_count': uint32(32) }, /dimension_count: expected 64, got 32/],
    [{ 'phi2.block_count': null }, /n_layer/],
    [{ 'phi2.embedding_length': uint32(4095) }, /divisor/],
    [{ 'tokenizer.ggml.eos_token_id': uint32(3) }, /eos_token_id/],
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
    [{ 'tokenizer.ggml.tokens': strings(['a', 'aa']) }, /expected 3 tokens and types .*got 2 and 3/],
    [{ 'tokenizer.ggml.token_type': { type: 'array', of: 'int32', value: [1] } }, /got 3 and 1/],
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
