/** Runs that share data, when one is removed while another is accepted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, newId } from '@gptj-cloud/protocol';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import { createStorageLimits } from '../metering/storage/storage-limits.ts';
import { findRun } from '../testing/find-run.ts';
import { createOpenAdmission } from '../testing/open-admission.ts';
import { bookOf, planOf, principalOn } from '../testing/plans.ts';
import { storeRun } from '../testing/store-run.ts';
import { describeOnEveryStore } from '../testing/test-store.ts';
import { findData } from './data/data-store.ts';
import { type AcceptableRun, createRunLedger } from './run-ledger.ts';
import { deleteRun } from './run-store.ts';

const PROJECT = DEFAULT_PROJECT_ID;
const NOW = new Date('2026-03-10T12:00:00.000Z');

function acceptable(dataId: string): AcceptableRun {
  return {
    principal: { ...principalOn(planOf('p'), 'user_1'), projectId: PROJECT, apiKeyId: null },
    estimate: { model: 'p', computedTokens: 2, contextTokens: 2 },
    row: {
      id: newId('run'),
      projectId: PROJECT,
      apiKeyId: null,
      pipelineId: 'p',
      dataId,
      createdAt: NOW,
      resourceType: 'cpu',
      minGpuVramMb: null,
      isAsync: false,
      isStreamed: false,
      idempotencyKey: null,
      requestHash: null,
      promptHead: '',
      prefixHashes: [],
      needs: null,
      lease: null,
    },
    input: null,
  };
}

describeOnEveryStore('runs that share data', (store) => {
  test('a run is stored with its data, or refused with not_found, while another run of the data is removed', async () => {
    const { db } = store();
    const ledger = createRunLedger({
      db,
      admission: createOpenAdmission(),
      storage: createStorageLimits(bookOf(planOf('p'))),
      onRunsEnd: async () => () => {},
    });
    for (let i = 0; i < 10; i++) {
      const removed = (await findRun(db, PROJECT, (await storeRun(db, NOW)) ?? '')) ?? assert.fail();
      const added = acceptable(removed.data.id);
      const [accepted] = await Promise.allSettled([
        ledger.accept(added),
        db.transaction((tx) => deleteRun(tx, removed)),
      ]);
      const hasData = (await findData(db, PROJECT, removed.data.id)) !== null;
      if (accepted.status === 'fulfilled') {
        assert.deepEqual([hasData, await findRun(db, PROJECT, removed.id)], [true, null]);
        assert.equal((await findRun(db, PROJECT, added.row.id))?.data.id, removed.data.id);
      } else {
        assert.ok(accepted.reason instanceof ApiError && accepted.reason.code === 'not_found', String(accepted.reason));
        assert.equal(hasData, false);
      }
    }
  });
});
