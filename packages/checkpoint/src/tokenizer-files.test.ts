import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GPTJ_6B } from '@gptj-cloud/model';
import { assertRefused, fixture, temporaryFolder } from './reader.contract.ts';
import { readTokenizerFiles } from './tokenizer-files.ts';

const config = { ...GPTJ_6B, vocabSize: 7, bosTokenId: 4, eosTokenId: 4 };
const vocab = { a: 0, b: 1, ab: 2, __proto__x: 3, '<|endoftext|>': 4 };

const EXPECTED = {
  tokens: ['a', 'b', 'ab', '__proto__x', '<|endoftext|>', '<|extratoken_1|>', '<|extratoken_2|>'],
  merges: ['a b'],
  tokenTypes: [1, 1, 1, 1, 3, 5, 5],
};

test('tokenizer.json gives tokens by id, merges, and fillers for the ids that are left', async (t) => {
  const folder = temporaryFolder(t);
  for (const merges of [['a b'], [['a', 'b']]]) {
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ model: { type: 'BPE', vocab, merges } }));
    assert.deepEqual(await readTokenizerFiles(folder, config), EXPECTED);
  }
});

test('vocab.json with merges.txt and added_tokens.json gives the same', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'vocab.json'), JSON.stringify(vocab));
  writeFileSync(join(folder, 'merges.txt'), '#version: 0.2\na b\n');
  assert.deepEqual(await readTokenizerFiles(folder, config), EXPECTED);
  writeFileSync(join(folder, 'added_tokens.json'), JSON.stringify({ '<|extratoken_7|>': 5 }));
  const { tokens, tokenTypes } = await readTokenizerFiles(folder, config);
  assert.deepEqual(tokens.slice(5), ['<|extratoken_7|>', '<|extratoken_1|>']);
  assert.deepEqual(tokenTypes.slice(5), [5, 5]);
});

const bpe = (model: object, added: unknown = []): unknown => ({
  model: { type: 'BPE', vocab, merges: [], ...model },
  added_tokens: added,
});

const REFUSED: readonly (readonly [what: string, json: unknown, words: RegExp])[] = [
  ['another model', { model: { type: 'Unigram' } }, /"BPE", got "Unigram"/],
  ['no model', [], /"BPE"/],
  ['a vocabulary that is a list', bpe({ vocab: ['a'] }), /object from token to id/],
  ['an id past the embedding', bpe({ vocab: { a: 7 } }), /from 0 to 6, got 7/],
  ['an id that is no number', bpe({ vocab: { a: '0' } }), /got "0"/],
  ['two tokens on one id', bpe({ vocab: { a: 0, b: 0 } }), /got "a" and "b"/],
  ['one token on two ids', bpe({}, [{ id: 6, content: 'a' }]), /one text under two ids/],
  ['merges that are no list', bpe({ merges: {} }), /merges to be a list/],
  ['a merge of three', bpe({ merges: ['a b c'] }), /merge 0 to be two tokens/],
  ['a merge of numbers', bpe({ merges: [[1, 2]] }), /merge 0 to be two tokens/],
  ['a merge that gives no token', bpe({ merges: ['b a'] }), /a token of the vocabulary/],
  ['added tokens without an id', bpe({}, [{ content: 'x' }]), /added_tokens/],
];

for (const [what, json, words] of REFUSED) {
  test(`${what} is refused`, async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(json));
    await assertRefused(readTokenizerFiles(folder, config), 'invalid_tokenizer', words);
  });
}

test('a folder without a tokenizer is refused', async (t) => {
  await assertRefused(readTokenizerFiles(temporaryFolder(t), config), 'not_found', /tokenizer\.json, or vocab\.json/);
  assert.equal((await readTokenizerFiles(fixture('safetensors-f32'), { ...config, vocabSize: 24 })).tokens.length, 24);
});
