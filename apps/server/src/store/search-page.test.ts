import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { cursorSchema, type PageQuery } from '@gptj-cloud/protocol';
import { inArray, sql } from 'drizzle-orm';
import { pipelineTags } from '../generation/pipelines/pipeline-tag-tables.ts';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import { openTestStore } from '../testing/test-store.ts';
import type { Store } from './db.ts';
import type { Page } from './page.ts';
import { findSearchPage } from './search-page.ts';

let store: Store;
/** Ids in the order of their time; several have the same time. */
let inOrder: readonly string[];
/** Those of every third row. */
let matching: readonly string[];
before(async () => {
  store = await openTestStore();
  await store.db.execute(sql`
    INSERT INTO pipeline_tags (id, project_id, name, pipeline_id, created_at)
    SELECT 'pipeline_tag_' || md5(i::text), ${DEFAULT_PROJECT_ID}, CASE WHEN i % 3 = 0 THEN 'in:' ELSE 'out:' END || i, 'p',
      timestamptz '2026-01-01' + (i / 4) * interval '1 microsecond'
    FROM generate_series(1, 60) i`);
  const rows = await store.db.select().from(pipelineTags).orderBy(pipelineTags.createdAt, pipelineTags.id);
  inOrder = rows.map(({ id }) => id);
  matching = rows.filter(({ name }) => name.startsWith('in:')).map(({ id }) => id);
});
after(() => store.close());

type Direction = 'asc' | 'desc';
const pageOf = (direction: Direction, limit: number, more: Partial<PageQuery<'created_at'>> = {}) =>
  ({ skip: 0, limit, orderBy: { field: 'created_at', direction }, ...more }) as const;

const search = (
  text: string,
  maxCompared: number,
  page: PageQuery<'created_at'>,
  drop = 0,
): Promise<Page<{ readonly id: string }>> =>
  findSearchPage(
    store.db,
    {
      table: pipelineTags,
      time: pipelineTags.createdAt,
      id: pipelineTags.id,
      where: sql`${pipelineTags.projectId} = ${DEFAULT_PROJECT_ID}`,
      matches: sql`position(${text} in ${pipelineTags.name}) > 0`,
      maxCompared,
    },
    page,
    async (ids) =>
      await store.db
        .select({ id: pipelineTags.id })
        .from(pipelineTags)
        .where(inArray(pipelineTags.id, ids.slice(0, Math.max(1, ids.length - drop)))),
    ({ id }) => id,
  );

/** All pages from the first to the last. */
async function walk(text: string, maxCompared: number, first: PageQuery<'created_at'>, drop = 0) {
  const pages = [await search(text, maxCompared, first, drop)];
  for (;;) {
    const next = pages.at(-1)?.nextCursor ?? null;
    if (next === null) return pages;
    pages.push(await search(text, maxCompared, { ...first, skip: 0, cursor: cursorSchema.parse(next) }, drop));
  }
}
const idsOf = (pages: readonly Page<{ readonly id: string }>[]) =>
  pages.flatMap(({ rows }) => rows.map(({ id }) => id));

test('cursors lead through every match once, however few rows a page compares', async () => {
  for (const direction of ['asc', 'desc'] as const) {
    const all = direction === 'asc' ? matching : matching.toReversed();
    for (const maxCompared of [1, 4, 7, 59, 60, 61]) {
      for (const limit of [1, 3, 20, 100]) {
        const pages = await walk('in:', maxCompared, pageOf(direction, limit));
        assert.deepEqual(idsOf(pages), all, `${direction} ${maxCompared} ${limit}`);
        assert.equal(pages.at(-1)?.total, 20, `${direction} ${maxCompared} ${limit}`);
      }
    }
  }
});

test('a page compares a bounded number of rows, and counts the matches so far', async () => {
  const [first] = await walk('in:', 12, pageOf('asc', 3));
  assert.deepEqual(
    [first?.rows.length, first?.total],
    [3, inOrder.slice(0, 12).filter((id) => matching.includes(id)).length],
  );
  const none = await walk('nowhere', 25, pageOf('desc', 10));
  assert.deepEqual(
    none.map(({ rows, total, nextCursor }) => [rows.length, total, nextCursor === null]),
    [
      [0, 0, false],
      [0, 0, false],
      [0, 0, true],
    ],
  );
});

test('skip passes over matches, also of the following pages', async () => {
  for (const skip of [0, 2, 5, 19, 20, 30]) {
    const pages = await walk('in:', 9, pageOf('asc', 4, { skip }));
    assert.deepEqual(idsOf(pages), matching.slice(skip), String(skip));
    assert.equal(pages.at(-1)?.total, 20);
  }
});

test('a page that was cut short is continued after its last row', async () => {
  assert.deepEqual(idsOf(await walk('in:', 60, pageOf('asc', 7), 3)), matching);
});
