import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApiError, cursorSchema, type PageQuery } from '@gptj-cloud/protocol';
import { inArray, sql } from 'drizzle-orm';
import { auditLog } from '../audit/audit-tables.ts';
import { pipelineTags } from '../generation/pipelines/pipeline-tag-tables.ts';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import { openTestStore } from '../testing/test-store.ts';
import type { Store } from './db.ts';
import { findPage, type Page } from './page.ts';

let store: Store;
/** Ids in the order of their time; several have the same time, and times differ by microseconds. */
let inOrder: readonly string[];
before(async () => {
  store = await openTestStore();
  await store.db.execute(sql`
    INSERT INTO pipeline_tags (id, project_id, name, pipeline_id, created_at)
    SELECT 'pipeline_tag_' || md5(i::text), ${DEFAULT_PROJECT_ID}, 'tag:' || i, 'p', timestamptz '2026-01-01' + (i / 3) * interval '1 microsecond'
    FROM generate_series(1, 50) i`);
  await store.db.execute(sql`
    INSERT INTO audit_log (at, action, details) SELECT timestamptz '2026-01-01', 'user.sign_in', '{}' FROM generate_series(1, 30)`);
  const rows = await store.db.select().from(pipelineTags).orderBy(pipelineTags.createdAt, pipelineTags.id);
  inOrder = rows.map(({ id }) => id);
});
after(() => store.close());

const pageOf = (direction: 'asc' | 'desc', limit: number, more: Partial<PageQuery<'created_at'>> = {}) =>
  ({ skip: 0, limit, orderBy: { field: 'created_at', direction }, ...more }) as const;

const findTags = (page: PageQuery<'created_at'>, drop = 0): Promise<Page<{ readonly id: string }>> =>
  findPage(
    store.db,
    { table: pipelineTags, time: pipelineTags.createdAt, id: pipelineTags.id, where: undefined },
    page,
    async (ids: readonly string[]) =>
      await store.db
        .select({ id: pipelineTags.id })
        .from(pipelineTags)
        .where(inArray(pipelineTags.id, ids.slice(0, Math.max(1, ids.length - drop)))),
    ({ id }) => id,
  );

/** The ids of all pages from the first to the last. */
async function walk(direction: 'asc' | 'desc', limit: number, drop = 0): Promise<readonly string[]> {
  const ids: string[] = [];
  let page = await findTags(pageOf(direction, limit), drop);
  for (;;) {
    ids.push(...page.rows.map(({ id }) => id));
    assert.equal(page.total, 50);
    if (page.nextCursor === null) return ids;
    page = await findTags(pageOf(direction, limit, { cursor: cursorSchema.parse(page.nextCursor) }), drop);
  }
}

test('cursors lead through every row once, in both directions, also among rows of the same time', async () => {
  for (const limit of [1, 7, 25, 49, 50, 100]) {
    assert.deepEqual(await walk('asc', limit), inOrder, `asc ${limit}`);
    assert.deepEqual(await walk('desc', limit), inOrder.toReversed(), `desc ${limit}`);
  }
});

test('every page by skip has the rows at its place, from whichever end they are counted', async () => {
  for (const direction of ['asc', 'desc'] as const) {
    const all = direction === 'asc' ? inOrder : inOrder.toReversed();
    for (let skip = 0; skip <= 52; skip++) {
      const { rows, total, nextCursor } = await findTags(pageOf(direction, 7, { skip }));
      assert.deepEqual(
        rows.map(({ id }) => id),
        all.slice(skip, skip + 7),
        `${direction} ${skip}`,
      );
      assert.deepEqual([total, nextCursor === null], [50, skip + 7 >= 50], `${direction} ${skip}`);
    }
  }
});

test('a page that was cut short is continued after its last row', async () => {
  assert.deepEqual(await walk('asc', 7, 2), inOrder);
});

test('rows that are added or deleted meanwhile neither repeat nor skip others', async () => {
  const first = await findTags(pageOf('desc', 10));
  const cursor = cursorSchema.parse(first.nextCursor);
  const last = first.rows.at(-1)?.id ?? '';
  await store.db.transaction(async (tx) => {
    await tx.delete(pipelineTags).where(inArray(pipelineTags.id, [last]));
    await tx.execute(sql`
      INSERT INTO pipeline_tags VALUES ('pipeline_tag_x', ${DEFAULT_PROJECT_ID}, 'new:new', 'p', '2027-01-01')`);
  });
  const second = await findTags(pageOf('desc', 10, { cursor }));
  assert.deepEqual(
    second.rows.map(({ id }) => id),
    inOrder.toReversed().slice(10, 20),
  );
});

test('skip counts from the cursor', async () => {
  const cursor = cursorSchema.parse((await findTags(pageOf('asc', 10))).nextCursor);
  const { rows } = await findTags(pageOf('asc', 2, { cursor, skip: 3 }));
  assert.deepEqual(
    rows.map(({ id }) => id),
    inOrder.slice(13, 15),
  );
});

test('ids that are numbers are cursors as well, and a cursor of another list is refused', async () => {
  const find = (cursor: string | null) =>
    findPage(
      store.db,
      { table: auditLog, time: auditLog.at, id: auditLog.id, where: undefined },
      pageOf('asc', 20, cursor === null ? {} : { cursor: cursorSchema.parse(cursor) }),
      async (ids: readonly number[]) =>
        await store.db
          .select()
          .from(auditLog)
          .where(inArray(auditLog.id, [...ids])),
      ({ id }) => id,
    );
  const first = await find(null);
  const second = await find(first.nextCursor);
  assert.equal(new Set([...first.rows, ...second.rows].map(({ id }) => id)).size, 30);
  assert.equal(second.nextCursor, null);
  await assert.rejects(find('1.1.pipeline_tag_x'), (error) => error instanceof ApiError && error.status === 400);
});

test('a cursor is read back as it was written, and other texts are refused', () => {
  for (const text of ['', 'x', '1.2', '1.2.3.x', '1.2.3.4.5', "1.2.x'", `1.${'9'.repeat(18)}.x`, '1.1.\u0000']) {
    assert.equal(cursorSchema.safeParse(text).success, false, text);
  }
});
