import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonReply } from './json-reply.ts';
import { jsonSlices } from './json-slices.ts';

const reply = (value: unknown): Response => jsonReply(value, (body) => new Response(body));

const MAX_SLICE = 300_000;

const VALUES: readonly unknown[] = [
  null,
  1.5,
  'a"b\n',
  [],
  {},
  [1, [2, undefined], { a: undefined, b: null }],
  'x'.repeat(200_000),
  `${'x'.repeat(65_535)}😀${'\ud83d'.repeat(70_000)}`,
  Array.from({ length: 100_000 }, (_, index) => [index, -index / 3]),
  {
    total: 2,
    data: [
      { id: 'a', preview: ['y'.repeat(150_000)] },
      { id: 'b', preview: null },
    ],
    skip: undefined,
    z: 1,
  },
  ['x'.repeat(100_000), 'short', 1, 'y'.repeat(100_000), 2],
  [1, 'x'.repeat(100_000)],
  ['x'.repeat(65_530), 'y'.repeat(65_530), 3],
  Array.from({ length: 3 }, () => Array.from({ length: 50 }, () => 'z'.repeat(5_000))),
  Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`name ${index}`, index])),
];

test('the slices of a value are its JSON, and none is much longer than the others', () => {
  for (const value of VALUES) {
    const slices = [...jsonSlices(value)];
    assert.equal(slices.join(''), JSON.stringify(value));
    for (const slice of slices) assert.ok(slice.length <= MAX_SLICE || typeof value === 'string', `${slice.length}`);
  }
});

test('a reply is the JSON of its value, long or short', async () => {
  for (const value of VALUES) {
    assert.equal(await reply(value).text(), new TextDecoder().decode(new TextEncoder().encode(JSON.stringify(value))));
  }
});

test('other work is done between two slices', async () => {
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await reply(Array.from({ length: 50 }, () => 'x'.repeat(70_000))).text();
  isDone = true;
  assert.ok(turns >= 50, `${turns} turns`);
});
