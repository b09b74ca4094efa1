import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listItems } from './list-pages.ts';

const options = (values: Readonly<Record<string, string>>) => ({
  values: new Map(Object.entries(values)),
  positionals: [],
});
/** Replies with these pages, whose cursors are their numbers. */
const reading =
  (pages: readonly (readonly string[])[], total: number) =>
  async ({
    skip,
    limit,
    cursor,
  }: {
    readonly skip: number;
    readonly limit: number;
    readonly cursor: string | undefined;
  }) => {
    const at = Number(cursor ?? 0);
    const items = (pages[at] ?? []).slice(0, limit);
    return { skip, limit, total, items, nextCursor: at + 1 < pages.length ? String(at + 1) : null };
  };

test('pages are read on past an empty one, as searches have them', async () => {
  const read = reading([[], ['a'], [], ['b', 'c']], 0);
  assert.deepEqual((await listItems(options({}), read)).items, ['a', 'b', 'c']);
  assert.deepEqual((await listItems(options({ limit: '2' }), read)).items, ['a', 'b']);
});

test('the items of a list without a match are none', async () => {
  assert.deepEqual(await listItems(options({ all: 'true' }), reading([[]], 0)), { items: [], total: 0 });
});
