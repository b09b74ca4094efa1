import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeHex, PickleError } from './index.ts';

test('decodes every byte value in upper and lower case', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const text = Buffer.from(bytes).toString('hex');
  assert.equal(text.slice(0, 4) + text.slice(-6), '0001fdfeff');
  assert.deepEqual(decodeHex(text), bytes);
  assert.deepEqual(decodeHex(text.toUpperCase()), bytes);
  assert.deepEqual(decodeHex(new TextEncoder().encode(text)), bytes);
});

test('decodes the empty string to no bytes', () => {
  assert.deepEqual(decodeHex(''), new Uint8Array(0));
});

test('an odd number of digits is refused', () => {
  for (const text of ['8', '80045d2']) {
    assert.throws(
      () => decodeHex(text),
      (error: unknown) => error instanceof PickleError && error.code === 'hex_odd_length',
    );
  }
});

test('refuses any other character with its offset', () => {
  // The neighbours of the digits in ASCII, and what a case-folding by one bit could mistake for a letter.
  for (const character of ['z', 'g', 'G', '@', '`', '/', ':', ' ', '\n', 'é', '٣', '!', '\u0001']) {
    assert.throws(
      () => decodeHex(`00${character}0`),
      (error: unknown) => error instanceof PickleError && error.code === 'hex_digit' && error.offset === 2,
    );
  }
});
