import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { newId } from '@gptj-cloud/protocol';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import type { Store } from '../store/db.ts';
import { allRuns } from '../testing/all-runs.ts';
import { findRun } from '../testing/find-run.ts';
import { storeRun } from '../testing/store-run.ts';
import { openTestStore } from '../testing/test-store.ts';
import { newFile } from './files/file.ts';
import type { RunFailure } from './run.ts';
import { claimRuns, type FairClaim } from './run-claim-store.ts';
import type { RunEnder, RunEnding, RunResult } from './run-end.ts';
import { INTERRUPTED } from './run-failure.ts';
import {
  endAllLeases,
  findCancelRequests,
  findLeased,
  type Lease,
  putBack,
  releaseLeases,
  requestCancel,
} from './run-lease-store.ts';
import { deleteRun, endRuns, findRuns, listRuns } from './run-store.ts';
import { files, runs } from './run-tables.ts';

const PROJECT = DEFAULT_PROJECT_ID;
const at = (seconds: number): Date => new Date(seconds * 1000);
const lease = (owner: string): Lease => ({ owner, ms: 30_000 });
const claimOf = (owner: string, now: number, limit = 1): FairClaim => ({
  limit,
  lease: lease(owner),
  now: at(now),
  queues: null,
  random: 0.5,
});

let store: Store;
before(async () => {
  store = await openTestStore();
});
after(() => store.close());
beforeEach(() => store.db.delete(runs));

const storedRun = async (createdAt: Date, columns?: Parameters<typeof storeRun>[2]): Promise<string> =>
  (await storeRun(store.db, createdAt, columns)) ?? 'refused';

const ender = (runId: string, owner: string | null): RunEnder => ({ runId, projectId: PROJECT, owner, endedAt: at(9) });
const state = async (id: string): Promise<unknown> => (await findRun(store.db, PROJECT, id))?.state;
const claim = async (owner: string, now: number, limit = 1): Promise<readonly string[]> => {
  const claimed = await claimRuns(store.db, claimOf(owner, now, limit));
  return claimed.map(({ id }) => id);
};
const result = (): RunResult => ({
  file: newFile('result', Uint8Array.of(1)),
  preview: ['\0'],
  outputHead: '\0',
  computeTimeMs: 1.6,
  promptTokens: 3,
  generatedTokens: 2,
  computedTokens: 9,
  cachedTokens: 1,
  seed: 2 ** 53 - 1,
  warnings: ['top_p is ignored'],
  finishReasons: ['length'],
});

const endAll = async (endings: readonly RunEnding[]) =>
  (await store.db.transaction((tx) => endRuns(tx, endings))).stored;
const completeRun = async (ender: RunEnder): Promise<boolean> =>
  (await endAll([{ ender, cost: null, execution: null, end: { result: result() } }]))[0] === true;
const failRun = async (ender: RunEnder, failure: RunFailure): Promise<boolean> =>
  (await endAll([{ ender, cost: null, execution: null, end: { failure } }]))[0] === true;
const countFiles = async (): Promise<number> => (await store.db.select({ id: files.id }).from(files)).length;

test('a run is ended by the owner of its lease, once', async () => {
  const id = await storedRun(at(1), { lease: lease('a') });
  assert.equal(await completeRun(ender(id, 'b')), false);
  assert.equal(await completeRun(ender(id, 'a')), true);
  assert.equal(await failRun(ender(id, 'a'), INTERRUPTED), false);
  assert.equal(await failRun(ender(id, null), INTERRUPTED), false);
  const found = await findRun(store.db, PROJECT, id);
  assert.deepEqual([found?.state, found?.resultPreview, found?.computeTimeMs], ['complete', ['\0'], 2]);
  assert.deepEqual(found?.usage, { promptTokens: 3, generatedTokens: 2, computedTokens: 9, cachedTokens: 1 });
  assert.deepEqual([found?.seed, found?.warnings], [2 ** 53 - 1, ['top_p is ignored']]);
});

test('of ends that are stored together each is stored once; the result of a rejected end is deleted', async () => {
  const [first, second, third] = [
    await storedRun(at(1), { lease: lease('a') }),
    await storedRun(at(2), { lease: lease('b') }),
    await storedRun(at(3)),
  ];
  const before = await countFiles();
  const ended = await endAll([
    { ender: ender(first, 'a'), cost: null, execution: null, end: { result: result() } },
    { ender: ender(first, 'a'), cost: null, execution: null, end: { failure: INTERRUPTED } },
    { ender: ender(second, 'a'), cost: null, execution: null, end: { result: result() } },
    { ender: ender(third, null), cost: null, execution: null, end: { failure: INTERRUPTED } },
  ]);
  assert.deepEqual(ended, [true, false, false, true]);
  const found = await findRuns(
    store.db,
    [third, first, 'run_x\0', second].map((id) => ({ projectId: PROJECT, id })),
  );
  const states = found.map((run) => run && [run.state, run.result !== null, run.failure?.error]);
  assert.deepEqual(states, [
    ['failed', false, INTERRUPTED.error],
    ['complete', true, undefined],
    null,
    ['running', false, undefined],
  ]);
  assert.equal(await countFiles(), before + 1);
});

test('a failure is stored with characters that PostgreSQL refuses replaced', async () => {
  const id = await storedRun(at(1));
  const failure = { error: 'pipeline_fault' as const, exception: 'a\0b\ud800', traceback: '' };
  assert.equal(await failRun(ender(id, null), failure), true);
  assert.equal((await findRun(store.db, PROJECT, id))?.failure?.exception, 'a\ufffdb\ufffd');
});

test('runs are claimed by priority, then in order of arrival, each by one owner', async () => {
  const [old, young, urgent] = [
    await storedRun(at(1)),
    await storedRun(at(2)),
    await storedRun(at(3), { priority: 5 }),
  ];
  assert.deepEqual(await claim('a', 5, 2), [urgent, old]);
  assert.deepEqual(await claim('b', 5, 2), [young]);
  assert.deepEqual(await claim('c', 5, 2), []);
  assert.deepEqual([await state(old), await state(young)], ['running', 'running']);
});

test('after the clock was set back, runs begin and end no earlier than they were accepted', async () => {
  const id = await storedRun(at(4000));
  const [claimed] = await claimRuns(store.db, claimOf('a', 400));
  assert.deepEqual(claimed?.startedAt, at(4000));
  assert.equal(await completeRun({ ...ender(id, 'a'), endedAt: at(401) }), true);
  const found = await findRun(store.db, PROJECT, id);
  assert.deepEqual([found?.startedAt, found?.endedAt], [at(4000), at(4000)]);
});

test('a lease that its owner gives up is claimed again, with one more attempt', async () => {
  const id = await storedRun(at(1));
  assert.deepEqual(await claim('a', 5), [id]);
  assert.deepEqual(await findLeased(store.db, 'a'), [{ id, isOld: false }]);
  assert.deepEqual(await claim('b', 6), []);
  assert.equal(await releaseLeases(store.db, 'b', [id]), 0);
  assert.equal(await releaseLeases(store.db, 'a', [id]), 1);
  const [claimed] = await claimRuns(store.db, claimOf('b', 7));
  assert.deepEqual([claimed?.id, claimed?.tries.attempts], [id, 2]);
  assert.deepEqual(await findLeased(store.db, 'a'), []);
  assert.equal(await completeRun(ender(id, 'a')), false);
});

test('a cancellation is requested of the owner of a lease, and seen by the next owner', async () => {
  const id = await storedRun(at(1), { lease: lease('a') });
  const waiting = await storedRun(at(2));
  assert.equal(await requestCancel(store.db, waiting, at(5)), false);
  assert.deepEqual(await findCancelRequests(store.db, [id, waiting]), []);
  assert.equal(await requestCancel(store.db, id, at(5)), true);
  assert.deepEqual(await findCancelRequests(store.db, [id, waiting]), [id]);
  await releaseLeases(store.db, 'a', [id]);
  assert.equal(await requestCancel(store.db, id, at(25)), false);
  const claimed = await claimRuns(store.db, claimOf('b', 31, 2));
  assert.deepEqual(
    claimed.map((run) => [run.id, run.cancelRequested]),
    [
      [id, true],
      [waiting, false],
    ],
  );
  await failRun(ender(id, 'b'), INTERRUPTED);
  assert.deepEqual(await findCancelRequests(store.db, [id]), []);
});

test('a run that is put back counts no attempt; after a restart no run has a lease', async () => {
  const id = await storedRun(at(1));
  await claim('a', 5);
  await putBack(store.db, id, 'a', { attempts: 1, ownDeaths: 0 });
  assert.equal(await state(id), 'received');
  assert.deepEqual(await claim('b', 6), [id]);
  assert.equal(await endAllLeases(store.db), 1);
  const [claimed] = await claimRuns(store.db, claimOf('c', 7));
  assert.deepEqual([claimed?.id, claimed?.tries.attempts], [id, 2]);
});

test('a project has one run for an idempotency key', async () => {
  assert.notEqual(await storedRun(at(1), { idempotencyKey: 'k' }), 'refused');
  assert.equal(await storedRun(at(1), { idempotencyKey: 'k' }), 'refused');
});

test('lists are paginated and filtered; runs of other projects are absent', async () => {
  const ids = [await storedRun(at(1)), await storedRun(at(2)), await storedRun(at(3))];
  await failRun(ender(ids[1] ?? '', null), INTERRUPTED);
  const list = async (direction: 'asc' | 'desc', skip: number, filter: object = {}): Promise<unknown> => {
    const all = { ...allRuns(PROJECT), ...filter };
    const page = await listRuns(store.db, all, { skip, limit: 2, orderBy: { field: 'created_at', direction } });
    return [page.total, ...page.rows.map(({ id }) => id)];
  };
  assert.deepEqual(await list('desc', 0), [3, ids[2], ids[1]]);
  assert.deepEqual(await list('asc', 1), [3, ids[1], ids[2]]);
  assert.deepEqual(await list('asc', 0, { states: ['failed'] }), [1, ids[1]]);
  assert.deepEqual(await list('asc', 0, { pipelineId: 'q' }), [0]);
  assert.deepEqual(await list('asc', 0, { projectId: newId('project') }), [0]);
  assert.equal(await findRun(store.db, newId('project'), ids[0] ?? ''), null);
});

test('the result and the unshared data of a deleted run are deleted, too', async () => {
  const before = await countFiles();
  const id = await storedRun(at(1), { lease: lease('a') });
  await completeRun(ender(id, 'a'));
  assert.equal(await countFiles(), before + 2);
  const run = await findRun(store.db, PROJECT, id);
  assert.ok(run !== null);
  await store.db.transaction((tx) => deleteRun(tx, run));
  assert.equal(await countFiles(), before);
  assert.equal(await state(id), undefined);
});
