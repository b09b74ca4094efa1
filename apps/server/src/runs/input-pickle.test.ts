import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PickleError, PickleObject, PickleTuple, type PickleValue, readPickle } from '@gptj-cloud/pickle';
import { pickleInput } from './input-pickle.ts';

test('a value reads back as itself, each type as it was', () => {
  const values: PickleValue[] = [
    null,
    true,
    false,
    ...[0n, -1n, 255n, 2n ** 31n - 1n, -(2n ** 31n), 2n ** 31n, -(2n ** 31n) - 1n, 2n ** 63n, -(2n ** 200n)],
    ...[0, -0, 1, 64, 0.1, Number.NaN, Number.POSITIVE_INFINITY, 5e-324],
    ...['', 'I met', 'é😀', '\0', '\ud800x\udc00', 'x'.repeat(70_000)],
    [],
    new Map(),
    [[1n, [1, '1']], new PickleTuple<never>([1n, new PickleTuple<never>([])])],
    new Map<string, PickleValue>([
      ['__proto__', new Map([['a', 1n]])],
      ['b', [64, 64n]],
    ]),
  ];
  for (const value of values) assert.deepEqual(readPickle(pickleInput(value)), value);
});

test('the request of 2022 is 2 bytes of protocol and nothing a Python would run', () => {
  const bytes = pickleInput(['hi', new Map<string, PickleValue>([['response_length', 64n]])]);
  assert.equal(
    Buffer.from(bytes).toString('hex'),
    '80025d28580200000068697d28580f000000726573706f6e73655f6c656e6774684a4000000075652e',
  );
});

test('a value that is not plain data is refused', () => {
  // A reader of other pickles makes such values; the type says that none comes here.
  const strange: unknown = new PickleObject('x');
  assert.throws(() => pickleInput(strange as PickleValue), PickleError);
  assert.throws(() => pickleInput(2n ** 2040n), PickleError);
});
