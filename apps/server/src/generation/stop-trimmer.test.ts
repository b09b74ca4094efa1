import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStopTrimmer } from './stop-trimmer.ts';

/** The text that a reader sees after each piece, and at the end. */
function shown(stops: readonly string[], pieces: readonly string[]): readonly string[] {
  const trimmer = createStopTrimmer(stops);
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  return [...pieces.map((piece) => text(trimmer.push(Buffer.from(piece)))), text(trimmer.end())];
}

/** The text before the first stop string. */
function cut(text: string, stops: readonly string[]): string {
  const places = stops.map((stop) => text.indexOf(stop)).filter((at) => at !== -1);
  return text.slice(0, Math.min(text.length, ...places));
}

test('shows text before a stop string at once, and the stop string never', () => {
  assert.deepEqual(shown(['\n\n'], ['one', ' two\n', '\nthree', 'four']), ['one', ' two', '', '', '']);
  assert.deepEqual(shown(['stop'], ['a st', 'o', 'pper']), ['a ', '', '', '']);
});

test('buffers a possible beginning of a stop string until later text or the end', () => {
  assert.deepEqual(shown(['stop'], ['a st', 'one', ' sto']), ['a ', 'stone', ' ', 'sto']);
  assert.deepEqual(shown(['aab'], ['a', 'a', 'a', 'b', 'x']), ['', '', 'a', '', '', '']);
});

test('cuts at the stop string that begins first', () => {
  assert.deepEqual(shown(['b', 'abc'], ['xabc']), ['x', '']);
  assert.deepEqual(shown(['', 'y'], ['x']), ['x', '']);
});

test('returns the same text for every division of the input', () => {
  const text = 'abcabdabababcd';
  for (const stops of [['abd'], ['ababc', 'd'], ['cabda'], ['zz'], ['ab']]) {
    for (let size = 1; size < 5; size++) {
      const pieces = text.match(new RegExp(`.{1,${size}}`, 'g')) ?? [];
      assert.equal(shown(stops, pieces).join(''), cut(text, stops), `${stops} by ${size}`);
    }
  }
});

test('half of a surrogate pair never cuts the character that holds it', () => {
  assert.deepEqual(shown(['\ud83d', '\ude42'], ['a🙂', 'b']), ['a🙂', 'b', '']);
});

test('a replacement character as stop string does not cut bytes that are not UTF-8', () => {
  const trimmer = createStopTrimmer(['\ufffd']);
  assert.deepEqual([...trimmer.push(Uint8Array.of(0x61, 0xff))], [0x61, 0xff]);
  assert.deepEqual([...trimmer.push(Buffer.from('b\ufffdc'))], [0x62]);
});
