import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { QuantisedType } from '../tensor-type.ts';
import { dequantise } from './dequantise.ts';

// fixtures/make_quantised.py: blocks and weights by llama.cpp v0.5.0 itself.
const golden: Record<QuantisedType, { blocks: string; weights: string }> = JSON.parse(
  readFileSync(new URL('../../fixtures/quantised.json', import.meta.url), 'utf8'),
);

for (const type of ['q4_0', 'q5_0', 'q5_1', 'q8_0', 'q4_K', 'q5_K', 'q6_K'] as const) {
  test(`${type} blocks give the weights that llama.cpp gives`, () => {
    const bytes = Uint8Array.from(Buffer.from(golden[type].blocks, 'hex'));
    const expected = new Float32Array(Uint8Array.from(Buffer.from(golden[type].weights, 'hex')).buffer);
    const weights = new Float32Array(expected.length);
    dequantise(type, bytes, weights);
    const largest = Math.max(...expected.map(Math.abs));
    for (const [i, weight] of weights.entries()) {
      // Only q5_0, q5_1 and the K types round an intermediate product: one unit in the last place of the largest term.
      const tolerance = type === 'q4_0' || type === 'q8_0' ? 0 : largest * 2 ** -22;
      assert.ok(Math.abs(weight - (expected[i] ?? 0)) <= tolerance, `weight ${i}: ${weight} and ${expected[i]}`);
    }
  });
}
