import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxOf, shownPlaces, stackOf, summaryOf, ticksFor, withOthers } from './chart-scale.ts';

test('ticks are round, begin at zero and reach the greatest value', () => {
  assert.deepEqual(ticksFor(0), [0, 1]);
  assert.deepEqual(ticksFor(3), [0, 1, 2, 3]);
  assert.deepEqual(ticksFor(57), [0, 20, 40, 60]);
  assert.deepEqual(ticksFor(20_110), [0, 10_000, 20_000, 30_000]);
  assert.deepEqual(ticksFor(0.07), [0, 0.025, 0.05, 0.075]);
});

test('stacks put each series upon the former ones, and unknown values are no step', () => {
  const series = [
    { name: 'a', values: [1, null] },
    { name: 'b', values: [2, 3] },
  ];
  assert.deepEqual(stackOf(series), [
    [
      [0, 1],
      [0, 0],
    ],
    [
      [1, 3],
      [0, 3],
    ],
  ]);
  assert.equal(maxOf(series, true), 3);
  assert.equal(maxOf(series, false), 3);
  assert.equal(maxOf(series, false, [9, null]), 9);
});

test('the sentence names the range and the highest place of each series', () => {
  const series = [
    { name: 'tokens', values: [1, 5] },
    { name: 'errors', values: [0, 0] },
  ];
  assert.equal(
    summaryOf('Per day', ['1 Nov', '2 Nov'], series, String),
    'Per day, 1 Nov to 2 Nov. tokens: most at 2 Nov (5). errors: nothing.',
  );
  assert.equal(summaryOf('Per day', [], [], String), 'Per day: no values.');
});

test('names below the axis stand at equal distances', () => {
  assert.deepEqual(shownPlaces(3, 6), [0, 1, 2]);
  assert.deepEqual(shownPlaces(30, 4), [0, 10, 20]);
  assert.deepEqual(shownPlaces(31, 4), [0, 10, 20, 30]);
});

test('the smallest series beyond six are summed', () => {
  const series = Array.from({ length: 8 }, (_, index) => ({ name: `s${index}`, values: [index] }));
  const shown = withOthers(series);
  assert.equal(shown.length, 6);
  assert.deepEqual(shown.at(-1), { name: '3 others', values: [0 + 1 + 2] });
});
