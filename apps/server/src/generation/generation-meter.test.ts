import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGenerationMeter } from './generation-meter.ts';

test('nothing costs nothing, and what has begun costs its prompt', () => {
  let now = 100;
  const meter = createGenerationMeter([7, 5], () => now);
  assert.equal(meter.cost(), null);
  meter.note(1, { type: 'started' });
  now = 130;
  assert.deepEqual(meter.cost(), { promptTokens: 5, generatedTokens: 0, computeMs: 30, cachedTokens: 0 });
});

test('a search that is cut short costs how far it came, and nothing twice when its tokens follow', () => {
  const meter = createGenerationMeter([7], () => 0);
  meter.note(0, { type: 'started' });
  for (let step = 0; step < 3; step++) meter.note(0, { type: 'searched', tokens: 2 });
  assert.equal(meter.cost()?.generatedTokens, 6);
  for (const index of [0, 1]) meter.note(0, { type: 'tokens', index, tokens: [1, 2, 3, 4] });
  assert.equal(meter.cost()?.generatedTokens, 8);
});
