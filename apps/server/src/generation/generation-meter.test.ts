import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGenerationMeter } from './generation-meter.ts';

test('a request costs nothing before it starts, and its prompt from then on', () => {
  let now = 100;
  const meter = createGenerationMeter([7, 5], () => now);
  assert.equal(meter.cost(), null);
  meter.record(1, { type: 'started' });
  now = 130;
  assert.deepEqual(meter.cost(), {
    promptTokens: 5,
    generatedTokens: 0,
    computedTokens: 5,
    computeMs: 30,
    cachedTokens: 0,
  });
});

test('a generation that ends midway costs what it last reported as computed, and never less than its tokens', () => {
  const meter = createGenerationMeter([7], () => 0);
  meter.record(0, { type: 'started' });
  for (const computedTokens of [9, 11, 13]) meter.record(0, { type: 'computed', computedTokens });
  assert.deepEqual([meter.cost()?.computedTokens, meter.cost()?.generatedTokens], [13, 0]);
  for (const index of [0, 1]) meter.record(0, { type: 'tokens', index, tokens: [1, 2, 3, 4] });
  assert.deepEqual([meter.cost()?.computedTokens, meter.cost()?.generatedTokens], [15, 8]);
});
