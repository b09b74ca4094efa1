import assert from 'node:assert/strict';
import test from 'node:test';
import { createPieceCache } from './piece-cache.ts';

test('caches at most two generations of pieces and evicts the ones not used recently', () => {
  const cache = createPieceCache(10);
  cache.set('often', [1]);
  for (let i = 0; i < 1000; i++) {
    cache.set(`piece ${i}`, [i]);
    assert.deepEqual(cache.get('often'), [1]);
  }
  const kept = Array.from({ length: 1000 }, (_, i) => `piece ${i}`).filter((piece) => cache.get(piece) !== undefined);
  assert.ok(kept.length <= 20, `${kept.length} pieces kept`);
  assert.ok(kept.includes('piece 999'));
  assert.equal(cache.get('piece 0'), undefined);
});
