import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { GPTJ_6B, gptjTensors } from '@gptj-cloud/model';
import { type Recipe, tensorType } from './recipe.ts';
import type { TensorType } from './tensor-type.ts';

// fixtures/make_quantised.py: what llama_model_quantize of llama.cpp v0.5.0 chose for 28 layers.
const golden: Record<string, { usual: TensorType; others: Record<string, TensorType> }> = JSON.parse(
  readFileSync(new URL('../fixtures/recipes.json', import.meta.url), 'utf8'),
);

for (const recipe of ['q8_0', 'q6_K', 'q5_K_M', 'q4_K_M', 'q4_0'] as const satisfies readonly Recipe[]) {
  test(`${recipe} gives every matrix the type that llama.cpp gives it`, () => {
    for (const { ggufName, shape } of gptjTensors(GPTJ_6B)) {
      if (shape.length < 2) continue;
      const layer = /^blk\.(\d+)\./.exec(ggufName)?.[1];
      const choice = tensorType(recipe, ggufName, layer === undefined ? null : Number(layer), 28, shape[1] ?? 0);
      const expected = golden[recipe]?.others[ggufName] ?? golden[recipe]?.usual;
      assert.deepEqual(choice, { wanted: expected, used: expected }, ggufName);
    }
  });
}

test('a row that does not divide into the blocks falls back to q8_0, then to f16', () => {
  assert.deepEqual(tensorType('q4_K_M', 'blk.0.attn_q.weight', 0, 4, 96), { wanted: 'q4_K', used: 'q8_0' });
  assert.deepEqual(tensorType('q4_0', 'output.weight', null, 4, 96), { wanted: 'q6_K', used: 'q8_0' });
  assert.deepEqual(tensorType('q4_0', 'blk.0.attn_q.weight', 0, 4, 16), { wanted: 'q4_0', used: 'f16' });
});

test('float recipes give every matrix their own type', () => {
  for (const recipe of ['f32', 'f16', 'bf16'] as const) {
    assert.equal(tensorType(recipe, 'output.weight', null, 4, 17).used, recipe);
  }
});
