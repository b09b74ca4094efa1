import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byteTokenizer } from '../testing/fake-model.ts';
import { createCharacterCounter } from './character-counter.ts';
import { readPromptText } from './prompt-text.ts';

function offsets(parts: readonly (readonly number[])[]): readonly number[] {
  const counter = createCharacterCounter();
  return parts.map((part) => counter.advance(Uint8Array.from(part)));
}

test('gives every part of a character the same offset', () => {
  assert.deepEqual(offsets([[0x61], [0xe6], [0x97], [0xa5], [0x62]]), [0, 1, 1, 1, 2]);
  assert.deepEqual(offsets([[0x61, 0xe6, 0x97], [0xa5, 0x62], [0x63]]), [0, 1, 3]);
});

test('counts a replacement before bytes that do not continue a character, and before no bytes', () => {
  assert.deepEqual(offsets([[0xe6], [0x61], [0x62]]), [0, 1, 2]);
  assert.deepEqual(offsets([[0xe6], [0xe6], [0x97], [0x62]]), [0, 1, 1, 2]);
  assert.deepEqual(offsets([[0x61, 0xe6], [], [0x97], []]), [0, 2, 1, 2]);
});

test('continues after a prompt that ends inside a character', () => {
  for (const [bytes, expected] of [
    [[0x97, 0xa5], 1],
    [[0x61], 2],
  ] as const) {
    const counter = createCharacterCounter(readPromptText(byteTokenizer, [0x61, 0xe6]));
    assert.equal(counter.advance(Uint8Array.from(bytes)), expected);
  }
});
