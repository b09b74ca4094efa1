import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_6B, gptjTensors } from '@gptj-cloud/model';
import { foreignArchitecture } from './foreign-architecture.ts';
import { matchTensors } from './match-tensors.ts';
import { assertRefused } from './reader.contract.ts';

const FOREIGN: readonly (readonly [name: string, words: RegExp])[] = [
  ['transformer.h.0.attn.attention.q_proj.weight', /GPT-Neo/],
  ['gpt_neox.layers.0.attention.query_key_value.weight', /GPT-NeoX/],
  ['h.0.attn.c_attn.weight', /GPT-2/],
  ['model.layers.0.self_attn.q_proj.weight', /another architecture/],
  ['transformer.h.0.attn.q_proj.qweight', /GPTQ/],
  ['transformer.h.0.attn.q_proj.weight.quant_state.bitsandbytes__nf4', /4 bits of bitsandbytes/],
  ['transformer.h.0.attn.q_proj.SCB', /int8 of bitsandbytes/],
];

test('names another architecture or quantisation by its tensors', async () => {
  for (const [name, words] of FOREIGN) {
    const stored = [{ name, shape: [4, 4], strides: [4, 1], storedType: 'F32', type: 'f32', offset: 0 }] as const;
    await assertRefused(
      Promise.resolve().then(() => matchTensors('x', GPTJ_6B, stored, false)),
      'unsupported',
      words,
    );
  }
});

test('the names of a GPT-J are foreign to no rule', () => {
  assert.equal(foreignArchitecture(gptjTensors(GPTJ_6B).map(({ name }) => name)), null);
});
