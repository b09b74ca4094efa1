import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createShareBuckets } from './share-buckets.ts';

test('remembers a bounded number of clients, the latest ones', () => {
  const buckets = createShareBuckets({ burst: 10, perSecond: 1 }, () => 0);
  for (let i = 0; i < 30_000; i++) buckets.take(`client ${i}`, 20);
  assert.equal(buckets.waitSeconds('client 0'), null);
  assert.notEqual(buckets.waitSeconds('client 29999'), null);
  assert.notEqual(buckets.waitSeconds('client 10000'), null);
  assert.equal(buckets.waitSeconds('client 9999'), null);
});
