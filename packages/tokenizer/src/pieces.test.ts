import assert from 'node:assert/strict';
import test from 'node:test';
import { pieceEnd } from './pieces.ts';

function pieces(text: string): string[] {
  const found: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = pieceEnd(text, start, text.length);
    assert.ok(end > start && end <= text.length, `piece of ${JSON.stringify(text)} from ${start} to ${end}`);
    found.push(text.slice(start, end));
    start = end;
  }
  return found;
}

test('a word includes the one space before it, and a run of spaces leaves its last one to the word', () => {
  assert.deepEqual(pieces('Hello world'), ['Hello', ' world']);
  assert.deepEqual(pieces('a   b  '), ['a', '  ', ' b', '  ']);
  assert.deepEqual(pieces('a \n b'), ['a', ' \n', ' b']);
  assert.deepEqual(pieces('a\n\nb'), ['a', '\n', '\n', 'b']);
  assert.deepEqual(pieces(' '), [' ']);
});

test('splits between letters, numbers and other characters, and splits off lower-case contractions', () => {
  assert.deepEqual(pieces('ab12!?'), ['ab', '12', '!?']);
  assert.deepEqual(pieces("they've it's WE'LL"), ['they', "'ve", ' it', "'s", ' WE', "'", 'LL']);
  assert.deepEqual(pieces(" 's!'s"), [" '", 's', "!'", 's']);
  assert.deepEqual(pieces("'l"), ["'", 'l']);
});

test('white space is that of Unicode: U+0085 is, U+FEFF, U+180E and U+001C … U+001F are not', () => {
  assert.deepEqual(pieces('a\u0085\u0085b'), ['a', '\u0085', '\u0085', 'b']);
  for (const character of ['\ufeff', '\u180e', '\u001c', '\u001f']) {
    assert.deepEqual(pieces(`a ${character}${character}b`), ['a', ` ${character}${character}`, 'b']);
  }
});

test('agrees with the pattern of GPT-2 on every mixture of five kinds of character', () => {
  const pattern =
    /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
  const kinds = ['a', ' ', '\n', "'", '1', 's'];
  for (let length = 1; length <= 6; length++) {
    for (let row = 0; row < kinds.length ** length; row++) {
      const text = Array.from({ length }, (_, i) => kinds[Math.floor(row / kinds.length ** i) % kinds.length]).join('');
      assert.deepEqual(pieces(text), text.match(pattern));
    }
  }
});

test('never splits a surrogate pair', () => {
  assert.deepEqual(pieces('😀😀 𝒳𝓎'), ['😀😀', ' 𝒳𝓎']);
});
