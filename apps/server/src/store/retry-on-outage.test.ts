import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryOnOutage } from './retry-on-outage.ts';
import { storeUnavailable } from './store-outage.ts';

const failing = (failures: number, error: () => Error) => {
  let calls = 0;
  return async () => {
    calls++;
    if (calls <= failures) throw error();
    return calls;
  };
};
const outage = (): Error => new Error('query failed', { cause: storeUnavailable('the connection was lost') });

test('work that an outage fails is repeated until it succeeds', async () => {
  assert.equal(await retryOnOutage(failing(2, outage)), 3);
});

test('other errors, an outage without an end and one while the server stops are thrown', async () => {
  await assert.rejects(retryOnOutage(failing(1, () => new Error('duplicate key'))), /duplicate key/);
  await assert.rejects(retryOnOutage(failing(1, outage), { forMs: 0 }), /query failed/);
  await assert.rejects(retryOnOutage(failing(1, outage), { mayRetry: () => false }), /query failed/);
});
