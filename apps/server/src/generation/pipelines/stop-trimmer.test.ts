import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStopTrimmer, trimAtStop } from './stop-trimmer.ts';

/** What a reader sees after each piece, and at the end. */
function shown(stops: readonly string[], pieces: readonly string[]): readonly string[] {
  const trimmer = createStopTrimmer(stops);
  return [...pieces.map((piece) => trimmer.push(piece)), trimmer.end()];
}

test('text before a stop string is shown at once, the stop string never', () => {
  assert.deepEqual(shown(['\n\n'], ['one', ' two\n', '\nthree', 'four']), ['one', ' two', '', '', '']);
  assert.deepEqual(shown(['stop'], ['a st', 'o', 'pper']), ['a ', '', '', '']);
});

test('what only began like a stop string is shown when that is clear, or at the end', () => {
  assert.deepEqual(shown(['stop'], ['a st', 'one', ' sto']), ['a ', 'stone', ' ', 'sto']);
  assert.deepEqual(shown(['aab'], ['a', 'a', 'a', 'b', 'x']), ['', '', 'a', '', '', '']);
});

test('of several stop strings the first to begin cuts', () => {
  assert.deepEqual(shown(['b', 'abc'], ['xabc']), ['x', '']);
  assert.equal(trimAtStop('xabc b', ['b', 'abc']), 'x');
  assert.equal(trimAtStop('x', ['', 'y']), 'x');
});

test('a stream shows what the whole text would', () => {
  const text = 'abcabdabababcd';
  for (const stops of [['abd'], ['ababc', 'd'], ['cabda'], ['zz'], ['ab']]) {
    for (let size = 1; size < 5; size++) {
      const pieces = text.match(new RegExp(`.{1,${size}}`, 'g')) ?? [];
      assert.equal(shown(stops, pieces).join(''), trimAtStop(text, stops), `${stops} by ${size}`);
    }
  }
});
