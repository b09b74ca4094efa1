import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPublished } from './scores.ts';

test('figures of the published table have the decimals of their column', () => {
  assert.deepEqual(
    [55, 51.21, 0].map((value) => formatPublished('acc', value)),
    ['55.0 %', '51.21 %', '0.0 %'],
  );
  assert.deepEqual(
    [4, 10.63, 7.5].map((value) => formatPublished('perplexity', value)),
    ['4.00', '10.63', '7.50'],
  );
});
