import assert from 'node:assert/strict';
import { test } from 'node:test';
import { equalBounds, HOUR_MS, hourlyBounds, partsOf, splitHours } from './time-parts.ts';

const at = (hours: number): Date => new Date(hours * HOUR_MS);
const hoursOf = (date: Date): number => date.getTime() / HOUR_MS;
const shown = (bounds: readonly Date[]) =>
  partsOf(bounds, 5).map(({ bucket, since, before, isWhole }) => [bucket, hoursOf(since), hoursOf(before), isWhole]);

test('a bucket is counted by its whole hours, and by what is left at its ends', () => {
  assert.deepEqual(shown([at(1.5), at(4.25)]), [
    [5, 1.5, 2, false],
    [5, 2, 4, true],
    [5, 4, 4.25, false],
  ]);
  assert.deepEqual(shown([at(1), at(3), at(3.5)]), [
    [5, 1, 3, true],
    [6, 3, 3.5, false],
  ]);
  assert.deepEqual(shown([at(1.5), at(2.5)]), [[5, 1.5, 2.5, false]]);
  assert.deepEqual(shown([at(-1.5), at(0.5)]), [
    [5, -1.5, -1, false],
    [5, -1, 0, true],
    [5, 0, 0.5, false],
  ]);
});

test('parts follow one another without gap or overlap, whatever the bounds', () => {
  for (const count of [1, 3, 7, 100, 1000]) {
    const [start, end] = [new Date(1_234_567), new Date(987_654_321)];
    for (const bounds of [equalBounds(start, end, count), hourlyBounds(equalBounds(start, end, count))]) {
      assert.equal(bounds.length, count + 1);
      const parts = partsOf(bounds);
      assert.equal(parts[0]?.since.getTime(), start.getTime());
      assert.equal(parts.at(-1)?.before.getTime(), end.getTime());
      for (const [i, part] of parts.slice(1).entries()) assert.deepEqual(part.since, parts[i]?.before);
      for (const { since, before, bucket } of parts) {
        assert.ok(since >= (bounds[bucket] ?? end) && before <= (bounds[bucket + 1] ?? start));
      }
    }
  }
});

test('bounds move to the nearest hour, but for the first and the last one', () => {
  assert.deepEqual(hourlyBounds([0.25, 1.75, 3.25, 5.25].map(at)).map(hoursOf), [0.25, 2, 3, 5.25]);
  assert.deepEqual(hourlyBounds([0.75, 1.25, 1.4].map(at)).map(hoursOf), [0.75, 1, 1.4]);
  assert.deepEqual(hourlyBounds([0.25, 0.3, 0.4].map(at)).map(hoursOf), [0.25, 0.25, 0.4]);
});

test('the hours that bounds split are listed once', () => {
  assert.deepEqual(
    splitHours([0.5, 1, 1.25, 1.5].map(at)).map(({ since, before }) => [hoursOf(since), hoursOf(before)]),
    [
      [0, 1],
      [1, 2],
    ],
  );
});
