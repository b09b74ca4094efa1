import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incompleteCharacterLength, isBeginningOfText } from './incomplete-character.ts';

test('counts the bytes of a character that has begun and not ended', () => {
  const cases: readonly (readonly [readonly number[], number])[] = [
    [[], 0],
    [[0x61], 0],
    [[0x61, 0xc3], 1],
    [[0xe6, 0x97], 2],
    [[0xf0, 0x9f, 0x99], 3],
    [[0xf0, 0x9f, 0x99, 0x82], 0],
    // No character begins so: an overlong form, half of a surrogate pair, beyond U+10FFFF, a lone continuation.
    [[0xc0], 0],
    [[0xed, 0xa0], 0],
    [[0xf5], 0],
    [[0x80], 0],
    [[0x61, 0x80, 0x80, 0x80], 0],
  ];
  for (const [bytes, length] of cases)
    assert.equal(incompleteCharacterLength(Uint8Array.from(bytes)), length, `${bytes}`);
});

test('distinguishes the beginning of UTF-8 text from other bytes', () => {
  assert.ok(isBeginningOfText(Uint8Array.of(0xe6, 0x97)));
  assert.ok(isBeginningOfText(Uint8Array.of(0xe6, 0x97, 0xa5, 0xf0)));
  assert.ok(!isBeginningOfText(Uint8Array.of(0xe6, 0x61)));
});
