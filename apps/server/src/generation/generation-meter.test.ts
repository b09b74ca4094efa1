import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGenerationMeter } from './generation-meter.ts';

test('a request costs nothing before it starts, and its prompt from then on', () => {
  let now = 100;
  const meter = createGenerationMeter([7, 5], () => now);
  assert.equal(meter.cost(), null);
  meter.record(1, { type: 'started' });
  now = 130;
  assert.deepEqual(meter.cost(), { promptTokens: 5, generatedTokens: 0, computeMs: 30, cachedTokens: 0 });
});

test('a cancelled beam search costs the tokens that it computed, each once', () => {
  const meter = createGenerationMeter([7], () => 0);
  meter.record(0, { type: 'started' });
  for (let step = 0; step < 3; step++) meter.record(0, { type: 'searched', tokens: 2 });
  assert.equal(meter.cost()?.generatedTokens, 6);
  for (const index of [0, 1]) meter.record(0, { type: 'tokens', index, tokens: [1, 2, 3, 4] });
  assert.equal(meter.cost()?.generatedTokens, 8);
});
