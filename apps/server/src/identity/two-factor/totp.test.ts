import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base32, matchTotp, totp, totpStep } from './totp.ts';

// RFC 6238, appendix B, SHA-1, whose codes have eight digits; these are the last six.
const SECRET = Buffer.from('12345678901234567890');
const VECTORS: readonly (readonly [seconds: number, code: string])[] = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
];

test('makes the codes of RFC 6238', () => {
  for (const [seconds, code] of VECTORS) assert.equal(totp(SECRET, totpStep(new Date(seconds * 1000))), code);
});

test('accepts the previous and the next code, but no others and no used ones', () => {
  const now = new Date(1234567890_000);
  const step = totpStep(now);
  for (const [offset, good] of [
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ] as const) {
    assert.equal(matchTotp(SECRET, totp(SECRET, step + offset), now, null), good ? step + offset : null);
  }
  assert.equal(matchTotp(SECRET, totp(SECRET, step), now, step), null);
  assert.equal(matchTotp(SECRET, totp(SECRET, step + 1), now, step), step + 1);
  for (const code of ['', '12345', '1234567', '00592a', '００５９２４'])
    assert.equal(matchTotp(SECRET, code, now, null), null);
});

test('base32 follows RFC 4648 without padding', () => {
  const texts: readonly (readonly [string, string])[] = [
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ];
  for (const [plain, encoded] of texts) assert.equal(base32(Buffer.from(plain)), encoded);
});
