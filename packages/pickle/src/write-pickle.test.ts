import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonValue, PickleError, readPickle, toJson, writePickle, writePickleInParts } from './index.ts';

// The expected bytes were read back by Python 3.11's pickle.loads and dill.loads as the value given.
const CASES: readonly (readonly [JsonValue, string])[] = [
  [[['hi']], '80025d285d285802000000686965652e'],
  [null, '80024e2e'],
  [[true, false], '80025d288889652e'],
  [[], '80025d2e'],
  [{}, '80027d2e'],
  [{ a: 1, b: [] }, '80027d285801000000614a010000005801000000625d752e'],
  [255, '80024aff0000002e'],
  [-(2 ** 31), '80024a000000802e'],
  [2 ** 31 - 1, '80024affffff7f2e'],
  [2 ** 31, '80028a0500000080002e'],
  [-(2 ** 31) - 1, '80028a05ffffff7fff2e'],
  [2 ** 53 - 1, '80028a07ffffffffffff1f2e'],
  [-(2 ** 53) + 1, '80028a07010000000000e02e'],
  [2 ** 53, '80024743400000000000002e'],
  [1.5, '8002473ff80000000000002e'],
  [-0, '80024780000000000000002e'],
  [1e300, '8002477e37e43c8800759c2e'],
  ['é😀', '80025806000000c3a9f09f98802e'],
  ['\ud83d', '80025803000000eda0bd2e'],
];

for (const [value, hex] of CASES) {
  test(`${JSON.stringify(value)} becomes its bytes of protocol 2 and is read back`, () => {
    const bytes = writePickle(value);
    assert.equal(Buffer.from(bytes).toString('hex'), hex);
    assert.equal(JSON.stringify(toJson(readPickle(bytes))), JSON.stringify(value));
  });
}

test('values of any depth are written', () => {
  let deep: JsonValue = 'core';
  for (let level = 0; level < 200_000; level += 1) deep = level % 2 === 0 ? [deep] : { k: deep };
  assert.equal(writePickle(deep).length, 3 + 9 + 3 * 200_000 + 6 * 100_000);
});

test('writes an aliased value twice and refuses a cycle', () => {
  const shared = ['x'];
  assert.deepEqual(toJson(readPickle(writePickle([shared, shared]))), [['x'], ['x']]);
  const cycle: JsonValue[] = [];
  cycle.push([cycle]);
  assert.throws(() => writePickle(cycle), isCode('cycle'));
});

test('NaN and infinities are refused', () => {
  for (const value of [Number.NaN, Infinity, -Infinity])
    assert.throws(() => writePickle([value]), isCode('not_finite'));
});

function isCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof PickleError && error.code === code;
}

test('a pickle that is written in parts is the same, with a pause after every few thousand values', async () => {
  const value = {
    rows: Array.from({ length: 30_000 }, (_, index) => [index, index / 3, 'x']),
    text: ['€'.repeat(3_000_000), 'é\ud83d😀'],
  };
  let pauses = 0;
  const parts = await writePickleInParts(value, async () => void pauses++);
  assert.deepEqual(parts, writePickle(value));
  assert.ok(pauses >= 10, `${pauses} pauses`);
});
