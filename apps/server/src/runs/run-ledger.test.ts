import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ApiError, newId } from '@gptj-cloud/protocol';
import { count } from 'drizzle-orm';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import { createStorageLimits } from '../metering/storage/storage-limits.ts';
import type { Database, Store } from '../store/db.ts';
import { findRun } from '../testing/find-run.ts';
import { createOpenAdmission, type OpenAdmission } from '../testing/open-admission.ts';
import { bookOf, planOf, principalOn } from '../testing/plans.ts';
import { openTestStore } from '../testing/test-store.ts';
import { newFile } from './files/file.ts';
import { INTERRUPTED } from './run-failure.ts';
import {
  type AcceptableRun,
  type AccountedEnding,
  createRunLedger,
  type OnRunsEnd,
  type RunEnd,
  type RunLedger,
} from './run-ledger.ts';
import { files, runs } from './run-tables.ts';

const NOW = new Date('2026-03-10T12:00:00.000Z');
const storage = createStorageLimits(bookOf(planOf('p')));
const PRINCIPAL = { ...principalOn(planOf('p'), 'user_1'), projectId: DEFAULT_PROJECT_ID, apiKeyId: null };

let store: Store;
/** The same with its transactions counted. */
let db: Database;
let transactions: number;
before(async () => {
  store = await openTestStore();
  db = new Proxy(store.db, {
    get(target, name, receiver) {
      if (name === 'transaction') transactions++;
      return Reflect.get(target, name, receiver);
    },
  });
});
after(() => store.close());

let admission: OpenAdmission;
/** Ends in transactions, and ends whose transaction was committed. */
let stored: RunEnd[];
let committed: RunEnd[];
const onRunsEnd: OnRunsEnd = async (_tx, ends) => {
  stored.push(...ends);
  return () => void committed.push(...ends);
};
let ledger: RunLedger;
beforeEach(async () => {
  await store.db.delete(runs);
  transactions = 0;
  admission = createOpenAdmission();
  stored = [];
  committed = [];
  ledger = createRunLedger({ db, admission, storage, onRunsEnd });
});

interface AcceptableOptions {
  readonly key?: string;
  readonly bytes?: number;
  readonly dataId?: string;
}

function acceptable({ key, bytes = 3, dataId }: AcceptableOptions = {}): AcceptableRun {
  return {
    principal: PRINCIPAL,
    estimate: { model: 'p', computedTokens: 2, contextTokens: 2 },
    row: {
      id: newId('run'),
      projectId: DEFAULT_PROJECT_ID,
      apiKeyId: null,
      pipelineId: 'p',
      dataId: dataId ?? newId('data'),
      createdAt: NOW,
      resourceType: 'cpu',
      minGpuVramMb: null,
      isAsync: false,
      isStreamed: false,
      idempotencyKey: key ?? null,
      requestHash: null,
      promptHead: '',
      prefixHashes: [],
      needs: null,
      lease: { owner: 'me', ms: 30_000 },
    },
    input: dataId === undefined ? newFile('data', new Uint8Array(bytes)) : null,
  };
}

function ending({ row }: AcceptableRun, owner: string | null = 'me'): AccountedEnding {
  return {
    ender: { runId: row.id, projectId: row.projectId, owner, endedAt: NOW },
    ticket: `of ${row.id}`,
    cost: null,
    execution: null,
    end: { failure: INTERRUPTED },
  };
}

const stateOf = async ({ row }: AcceptableRun): Promise<unknown> =>
  (await findRun(store.db, DEFAULT_PROJECT_ID, row.id))?.state;
const countFiles = async (): Promise<number> => (await store.db.select({ total: count() }).from(files))[0]?.total ?? 0;

test('runs that are accepted together share a transaction; a large input has its own', async () => {
  const small = Array.from({ length: 20 }, () => acceptable());
  const large = acceptable({ bytes: 100_000 });
  const tickets = await Promise.all([...small, large].map((run) => ledger.accept(run)));
  assert.equal(new Set(tickets.map((admitted) => admitted?.ticket)).size, 21);
  assert.equal(transactions, 2);
  for (const run of [...small, large]) assert.equal(await stateOf(run), 'running');
});

test('a run that is refused, or cannot be stored, does not fail the runs of the same transaction', async () => {
  const refused = acceptable();
  const { admitRuns } = admission;
  const choosy = {
    ...admission,
    admitRuns: async (tx: Database, asked: Parameters<typeof admitRuns>[1]) =>
      (await admitRuns(tx, asked)).map((admitted, i) =>
        asked[i]?.principal === refused.principal ? new ApiError('internal') : admitted,
      ),
  };
  ledger = createRunLedger({ db, admission: choosy, storage, onRunsEnd });
  // PostgreSQL text cannot hold U+0000: the shared transaction fails, and each run is tried alone.
  const valid = acceptable();
  const broken: AcceptableRun = { ...valid, row: { ...valid.row, pipelineId: 'p\0' } };
  const good = [acceptable(), acceptable()].map((run) => ({ ...run, principal: { ...PRINCIPAL } }));
  const asked = [good[0], { ...broken, principal: { ...PRINCIPAL } }, refused, good[1]];
  const answers = await Promise.allSettled(asked.map((run) => ledger.accept(run as AcceptableRun)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  );
  for (const run of good) assert.equal(await stateOf(run), 'running');
  for (const run of [broken, refused]) assert.equal(await stateOf(run), undefined);
});

test('of two runs under one idempotency key the second is not stored, nor is its input', async () => {
  assert.notEqual(await ledger.accept(acceptable({ key: 'k' })), null);
  const before = await countFiles();
  assert.equal(await ledger.accept(acceptable({ key: 'k' })), null);
  assert.equal(await countFiles(), before);
});

test('runs that end together share a transaction; only stored ends are reported and settled', async () => {
  const [first, second, third] = [acceptable(), acceptable(), acceptable()];
  await Promise.all([first, second, third].map((run) => ledger.accept(run)));
  transactions = 0;
  const answers = await Promise.all(
    [ending(first), ending(first), ending(second, 'another'), ending(third, null)].map((end) => ledger.recordEnd(end)),
  );
  assert.deepEqual([answers.filter(Boolean).length, answers[2], answers[3]], [2, false, true]);
  assert.equal(transactions, 1);
  assert.deepEqual(
    committed.map(({ runId, event }) => [runId, event]),
    [first, third].map(({ row }) => [row.id, 'run.failed']),
  );
  assert.deepEqual(
    admission.cancelled,
    [first, third].map(({ row }) => `of ${row.id}`),
  );
});

test('each transaction is followed up when it is committed, and a transaction that fails is not', async () => {
  const [failing, passing] = [acceptable(), acceptable()];
  await Promise.all([failing, passing].map((run) => ledger.accept(run)));
  const broken = createRunLedger({
    db,
    admission,
    storage,
    async onRunsEnd(tx, ends) {
      await onRunsEnd(tx, ends);
      throw new Error('the store failed');
    },
  });
  await assert.rejects(broken.recordEnd(ending(failing)), /the store failed/);
  assert.deepEqual([stored.length, committed.length], [1, 0]);
  assert.equal(await ledger.recordEnd(ending(passing)), true);
  assert.deepEqual(
    committed.map(({ runId }) => runId),
    [passing.row.id],
  );
});

test('a run whose data were removed after they were read is refused with not_found, and the others are stored', async () => {
  const [good, orphan] = [acceptable(), acceptable({ dataId: newId('data') })];
  const [stored, refused] = await Promise.allSettled([good, orphan].map((run) => ledger.accept(run)));
  assert.equal(stored?.status, 'fulfilled');
  assert.ok(refused?.status === 'rejected' && refused.reason instanceof ApiError, JSON.stringify(refused));
  assert.equal(refused.reason.code, 'not_found');
  assert.deepEqual([await stateOf(good), await stateOf(orphan)], ['running', undefined]);
  assert.equal(transactions, 1);
});
