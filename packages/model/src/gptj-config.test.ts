import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_6B, parseGptjConfig } from './gptj-config.ts';

const SMALL = { n_embd: 128, n_head: 2, n_layer: 1, vocab_size: 300, eos_token_id: 299, bos_token_id: 299 };

test('an empty config gives GPT-J-6B, as in transformers', () => {
  assert.deepEqual(parseGptjConfig({ model_type: 'gptj' }), GPTJ_6B);
});

test('rotary_dim is 64 where it is absent, also for one head', () => {
  assert.equal(parseGptjConfig(SMALL).rotaryDim, 64);
  assert.equal(parseGptjConfig({ ...SMALL, n_head: 1 }).rotaryDim, 64);
  assert.throws(() => parseGptjConfig({ ...SMALL, n_head: 4 }), {
    code: 'invalid_config',
    message: /rotary_dim.*got 64/,
  });
});

test('reads the aliases of transformers, which override the field of the canonical name', () => {
  const { n_embd, n_head, n_layer, ...rest } = SMALL;
  const aliases = { hidden_size: n_embd, num_attention_heads: n_head, num_hidden_layers: n_layer };
  const config = parseGptjConfig({ ...rest, ...aliases, max_position_embeddings: 77, n_embd: 1 });
  assert.deepEqual({ ...config, contextLength: 2048 }, parseGptjConfig(SMALL));
  assert.equal(config.contextLength, 77);
  assert.throws(() => parseGptjConfig({ hidden_size: 0.5 }), { message: /hidden_size: expected an integer.*got 0\.5/ });
});

test('accepts one, several or no EOS token ids and drops ids past the vocabulary', () => {
  for (const [value, ids] of [
    [10, [10]],
    [
      [299, 10, 299],
      [299, 10],
    ],
    [null, []],
    [undefined, []],
    [300, []],
    [[300, 5], [5]],
  ] as const) {
    const config = parseGptjConfig({ ...SMALL, eos_token_id: value, bos_token_id: null });
    assert.deepEqual([config.eosTokenIds, config.eosTokenId, config.bosTokenId], [ids, ids[0] ?? null, null]);
  }
  assert.throws(() => parseGptjConfig({ ...SMALL, eos_token_id: ['a'] }), { message: /eos_token_id: .*\["a"\]/ });
});

test('accepts every name of the tanh approximation of GELU and refuses other activations', () => {
  for (const name of ['gelu_new', 'gelu_pytorch_tanh', 'gelu_fast']) {
    assert.deepEqual(parseGptjConfig({ ...SMALL, activation_function: name }), parseGptjConfig(SMALL));
  }
  assert.throws(() => parseGptjConfig({ ...SMALL, activation_function: 'gelu' }), { message: /activation_function/ });
});
