import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { cursorSchema, newId, type PageCursor } from '@gptj-cloud/protocol';
import { eq } from 'drizzle-orm';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import type { Store } from '../store/db.ts';
import { allRuns } from '../testing/all-runs.ts';
import { storeRun } from '../testing/store-run.ts';
import { openTestStore } from '../testing/test-store.ts';
import { newFile } from './files/file.ts';
import { listRunSummaries, type RunFilter, type RunOrder } from './run-list-store.ts';
import { endRuns } from './run-store.ts';
import { runs } from './run-tables.ts';

const at = (seconds: number): Date => new Date(seconds * 1000);

let store: Store;
before(async () => {
  store = await openTestStore();
});
after(() => store.close());
beforeEach(() => store.db.delete(runs));

const stored = async (createdAt: Date, promptHead: string, apiKeyId: string | null = null): Promise<string> =>
  (await storeRun(store.db, createdAt, { promptHead, apiKeyId })) ?? 'refused';
const complete = (runId: string, outputHead: string): Promise<unknown> =>
  store.db.transaction((tx) =>
    endRuns(tx, [
      {
        ender: { runId, projectId: DEFAULT_PROJECT_ID, owner: null, endedAt: at(9) },
        cost: null,
        execution: { attempts: 1, waits: { queuedMs: 1, firstTokenMs: 3 } },
        end: {
          result: {
            file: newFile('result', Uint8Array.of(1)),
            preview: [],
            outputHead,
            computeTimeMs: 3,
            promptTokens: 1,
            generatedTokens: 1,
            computedTokens: 2,
            cachedTokens: 0,
            seed: 7,
            warnings: [],
            finishReasons: ['length'],
          },
        },
      },
    ]),
  );
const list = async (filter: Partial<RunFilter>, cursorless: { skip?: number; limit?: number } = {}) =>
  await listRunSummaries(
    store.db,
    { ...allRuns(DEFAULT_PROJECT_ID), ...filter },
    { skip: 0, limit: 10, orderBy: { field: 'created_at', direction: 'desc' }, ...cursorless },
  );
const ids = async (filter: Partial<RunFilter>): Promise<readonly string[]> =>
  (await list(filter)).rows.map(({ id }) => id);

test('a search finds the text of prompt and output in any case, and nothing of another project', async () => {
  const [first, second] = [await stored(at(1), 'Once upon a TIME'), await stored(at(2), 'the king')];
  await complete(second, 'lived in Ávila once');
  assert.deepEqual(await ids({ text: 'ONCE' }), [second, first]);
  assert.deepEqual(await ids({ text: 'a time' }), [first]);
  assert.deepEqual(await ids({ text: 'ávila' }), [second]);
  assert.deepEqual(await ids({ text: 'twice' }), []);
  assert.deepEqual(await ids({ text: '%' }), []);
  assert.deepEqual(await ids({ text: 'once', projectId: newId('project') }), []);
});

test('a list by time or tokens has the runs with the figure, page after page in both directions', async () => {
  const [open, short, long, middle] = [
    await stored(at(1), 'open'),
    await stored(at(2), 'short'),
    await stored(at(3), 'long'),
    await stored(at(4), 'middle'),
  ];
  for (const [id, ms, tokens] of [
    [short, 3, 90],
    [long, 900, 20],
    [middle, 40, 20],
  ] as const) {
    await store.db.update(runs).set({ computeTimeMs: ms, computedTokens: tokens }).where(eq(runs.id, id));
  }
  const by = async (field: RunOrder, direction: 'asc' | 'desc', filter: Partial<RunFilter> = {}) => {
    const found: string[] = [];
    let cursor: PageCursor | undefined;
    do {
      const page = { skip: 0, limit: 2, orderBy: { field, direction }, ...(cursor && { cursor }) };
      const { rows, nextCursor, total } = await listRunSummaries(
        store.db,
        { ...allRuns(DEFAULT_PROJECT_ID), ...filter },
        page,
      );
      assert.equal(total, filter.createdAfter === undefined ? 3 : 2);
      found.push(...rows.map(({ id }) => id));
      cursor = nextCursor === null ? undefined : cursorSchema.parse(nextCursor);
    } while (cursor !== undefined);
    assert.ok(!found.includes(open));
    return found;
  };
  assert.deepEqual(await by('compute_time_ms', 'desc'), [long, middle, short]);
  assert.deepEqual(await by('compute_time_ms', 'asc'), [short, middle, long]);
  assert.deepEqual(await by('compute_time_ms', 'asc', { createdAfter: at(3) }), [middle, long]);
  const equal = [long, middle].toSorted();
  assert.deepEqual(await by('computed_tokens', 'asc'), [...equal, short]);
  assert.deepEqual(await by('computed_tokens', 'desc'), [short, ...equal.toReversed()]);
  await assert.rejects(by('compute_time_ms', 'desc', { text: 'short' }), /order_by: expected created_at with q/);
});

test('a search finds a run by its id and by a part of it', async () => {
  const [first, second] = [await stored(at(1), 'a'), await stored(at(2), 'b')];
  assert.deepEqual(await ids({ text: first }), [first]);
  assert.deepEqual(await ids({ text: second.slice(0, 20) }), [second]);
  assert.deepEqual(await ids({ text: ` ${first.slice(-12)} ` }), [first]);
  assert.deepEqual(await ids({ text: first, projectId: newId('project') }), []);
});

test('a list is limited to states, a token, browser sessions and a span of time', async () => {
  const tokenId = newId('token');
  const [first, second, third] = [
    await stored(at(1), 'a', tokenId),
    await stored(at(2), 'b'),
    await stored(at(3), 'c'),
  ];
  await complete(second, 'x');
  assert.deepEqual(await ids({ tokenId }), [first]);
  assert.deepEqual(await ids({ tokenId: 'session' }), [third, second]);
  assert.deepEqual(await ids({ states: ['complete', 'failed'] }), [second]);
  assert.deepEqual(await ids({ states: ['received', 'complete'] }), [third, second, first]);
  assert.deepEqual(await ids({ createdAfter: at(2) }), [third, second]);
  assert.deepEqual(await ids({ createdAfter: at(1), createdBefore: at(2) }), [first]);
  const page = await list({ text: 'x' }, { limit: 1 });
  assert.deepEqual([page.total, page.nextCursor], [1, null]);
});

test('a summary has the first 160 letters, in a form that the store holds', async () => {
  const id = await stored(at(1), `\0${'😀'.repeat(200)}`);
  await complete(id, '\ud800'.repeat(300));
  const [summary] = (await list({})).rows;
  assert.equal(summary?.promptHead, `\ufffd${'😀'.repeat(159)}`);
  assert.equal(summary?.outputHead, '\ufffd'.repeat(160));
  assert.deepEqual(summary?.waits, { queuedMs: 1, firstTokenMs: 3 });
  assert.deepEqual([summary?.seed, summary?.computeTimeMs, summary?.state], [7, 3, 'complete']);
});

test('a run from before heads were stored is listed without them and found by its id', async () => {
  const id = await stored(at(1), 'old');
  await store.db.update(runs).set({ promptHead: null, searchText: null });
  const [summary] = (await list({ text: id.slice(0, 12) })).rows;
  assert.deepEqual([summary?.id, summary?.promptHead, summary?.outputHead], [id, null, null]);
  await complete(id, 'new');
  assert.deepEqual(await ids({ text: 'new' }), [id]);
});
