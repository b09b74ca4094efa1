import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSummary } from '../testing/run-summaries.ts';
import { toCsv, toJsonLines } from './export-runs.ts';
import { filterOf, isListed, optionsOf } from './run-filter.ts';
import {
  allRuns,
  missingRuns,
  type RunPages,
  totalOf,
  withAdded,
  withAddedLast,
  withChanged,
  withoutRuns,
} from './run-pages.ts';
import { blankBefore, oneLine } from './run-text.ts';

const page = (...items: ReturnType<typeof runSummary>[]) => ({ skip: 0, limit: 2, total: 9, items, nextCursor: 'c' });
const list: RunPages = {
  pages: [page(runSummary('r4', 4), runSummary('r3', 3)), page(runSummary('r2', 2), runSummary('r1', 1))],
  pageParams: [undefined, 'c'],
};
const idsOf = (pages: RunPages) => allRuns(pages).map(({ id }) => id);

test('no blank is between a prompt and the comma that its output begins with', () => {
  const shown = (output: string): string => `${oneLine('Once upon a\n time ')}${blankBefore(output)}${oneLine(output)}`;
  assert.equal(shown(', and\nthen'), 'Once upon a time, and then');
  assert.equal(shown(' there was'), 'Once upon a time there was');
  assert.equal(shown('.'), 'Once upon a time.');
  assert.equal(shown('“No”'), 'Once upon a time “No”');
});

test('a changed run keeps its place, and one that is not in the list changes nothing', () => {
  const changed = withChanged(list, runSummary('r2', 2, { runState: 'failed' }));
  assert.ok(changed !== null);
  assert.deepEqual(idsOf(changed), ['r4', 'r3', 'r2', 'r1']);
  assert.equal(allRuns(changed)[2]?.runState, 'failed');
  assert.equal(withChanged(list, runSummary('r9', 9)), null);
});

test('an ended run does not begin again when replies cross', () => {
  const late = withChanged(list, runSummary('r2', 2, { runState: 'running', endedAt: null }));
  assert.equal(late === null ? null : allRuns(late)[2]?.runState, 'complete');
});

test('new runs come first in the order of their acceptance, once', () => {
  const added = withAdded(list, [runSummary('r6', 6), runSummary('r5', 5), runSummary('r3', 3, { seed: 8 })]);
  assert.deepEqual(idsOf(added), ['r6', 'r5', 'r4', 'r3', 'r2', 'r1']);
  assert.deepEqual([added.pages[0]?.total, added.pages[0]?.nextCursor], [11, 'c']);
  assert.equal(allRuns(added)[3]?.seed, 8);
  assert.deepEqual(idsOf(withAdded(added, [runSummary('r6', 6)])), idsOf(added));
  assert.deepEqual(idsOf(withAdded(added, [runSummary('r7', 6), runSummary('r0', 6)])).slice(0, 3), ['r7', 'r6', 'r0']);
});

test('with the oldest runs first, new ones come last, and only where the end of the list is loaded', () => {
  const oldest = (end: string | null): RunPages => ({
    pages: [page(runSummary('r1', 1), runSummary('r2', 2)), { ...page(runSummary('r3', 3)), nextCursor: end }],
    pageParams: [undefined, 'c'],
  });
  const runs = [runSummary('r5', 5), runSummary('r2', 2, { seed: 8 }), runSummary('r4', 4)];
  const added = withAddedLast(oldest(null), runs);
  assert.deepEqual(idsOf(added), ['r1', 'r2', 'r3', 'r4', 'r5']);
  assert.deepEqual([totalOf(added), allRuns(added)[1]?.seed], [11, 8]);
  const open = withAddedLast(oldest('d'), runs);
  assert.deepEqual([idsOf(open), totalOf(open)], [['r1', 'r2', 'r3'], 11]);
});

test('a search goes by time, in both directions', () => {
  const order = (search: Parameters<typeof filterOf>[0]) => optionsOf(filterOf(search, new Date())).order;
  assert.equal(order({ q: 'x', order: 'slowest' }), undefined);
  assert.equal(order({ q: 'x', order: 'oldest' }), 'oldest');
  assert.equal(order({ order: 'slowest' }), 'slowest');
});

test('deleted runs leave the list and its total', () => {
  const left = withoutRuns(list, new Set(['r4', 'r1', 'gone']));
  assert.deepEqual(idsOf(left), ['r3', 'r2']);
  assert.equal(left.pages[0]?.total, 7);
});

test('known runs that a new first page leaves out were deleted, those below its end may be there', () => {
  const known = allRuns(list);
  const missing = (nextCursor: string | null, ...ids: readonly number[]) => [
    ...missingRuns(known, { ...page(...ids.map((at) => runSummary(`r${at}`, at))), nextCursor }),
  ];
  assert.deepEqual(missing('c', 5, 4, 2), ['r3']);
  assert.deepEqual(missing(null, 5, 4, 2), ['r3', 'r1']);
  assert.deepEqual(missing('c', 6, 5), []);
  assert.deepEqual(missing(null), ['r4', 'r3', 'r2', 'r1']);
});

test('the total of a search is that of its furthest page', () => {
  const [first, second] = [page(runSummary('r9', 9)), page(runSummary('r8', 8))];
  const found: RunPages = { pages: [first, { ...second, total: 12 }], pageParams: [] };
  assert.equal(totalOf(found), 12);
  assert.equal(totalOf(withoutRuns(found, new Set(['r9']))), 11);
});

test('a new run is listed where the server would list it', () => {
  const now = new Date(10_000_000);
  const isIn = (search: Parameters<typeof filterOf>[0], fields: Parameters<typeof runSummary>[2] = {}) =>
    isListed(filterOf(search, now), runSummary('run_ab12', 9_999, fields));
  assert.equal(isIn({}), true);
  assert.equal(isIn({ state: 'open' }), false);
  assert.equal(isIn({ state: 'open' }, { runState: 'received', endedAt: null }), true);
  assert.equal(isIn({ order: 'slowest' }, { runState: 'received', endedAt: null }), false);
  assert.equal(isIn({ order: 'oldest' }, { runState: 'received', endedAt: null }), true);
  assert.equal(isIn({ token: 'session' }), true);
  assert.equal(isIn({ token: 'session' }, { tokenId: 'token_1' }), false);
  assert.equal(isIn({ token: 'token_1' }, { tokenId: 'token_1' }), true);
  assert.equal(isIn({ q: ' UPON a ' }), true);
  assert.equal(isIn({ q: 'ab12' }), true);
  assert.equal(isIn({ q: 'twice' }), false);
  assert.equal(isListed(filterOf({ range: 'hour' }, now), runSummary('r', 6_000)), false);
  assert.equal(isListed(filterOf({ range: 'hour' }, now), runSummary('r', 6_400)), true);
});

test('ranges begin at a whole minute', () => {
  const { createdAfter } = optionsOf(filterOf({ range: 'day' }, new Date('2026-03-10T12:34:56.789Z')));
  assert.equal(createdAfter?.toISOString(), '2026-03-09T12:34:00.000Z');
});

test('exports quote what spreadsheets would read otherwise', () => {
  const run = runSummary('r1', 1, { promptHead: '=SUM("a")', outputHead: 'two\nlines, quoted', tokenName: '-1' });
  const [head, ...lines] = toCsv([run]).split('\r\n');
  assert.match(head ?? '', /^id,state,created_at,/);
  assert.match(lines.join('\r\n'), /,'-1,"'=SUM\(""a""\)","two\nlines, quoted",/);
  const line: unknown = JSON.parse(toJsonLines([run]));
  assert.equal(Reflect.get(Object(line), 'prompt_head'), '=SUM("a")');
  assert.equal(toJsonLines([run, run]).split('\n').length, 3);
});
