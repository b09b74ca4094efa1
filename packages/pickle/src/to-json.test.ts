import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PickleError, PickleObject, PickleTuple, type PickleValue, toJson } from './index.ts';

test('tuples become arrays, dicts objects, ints and floats numbers', () => {
  const value: PickleValue = [new PickleTuple([1n, 2.5]), new Map([['a', null]]), -(2n ** 40n), true, 'é'];
  assert.equal(JSON.stringify(toJson(value)), '[[1,2.5],{"a":null},-1099511627776,true,"é"]');
});

test('__proto__ and constructor are keys like any other', () => {
  const json = toJson(
    new Map<string, PickleValue>([
      ['__proto__', new Map([['polluted', true]])],
      ['constructor', 1n],
    ]),
  );
  assert.equal(JSON.stringify(json), '{"__proto__":{"polluted":true},"constructor":1}');
  assert.equal(Object.getPrototypeOf(json), null);
  assert.equal('polluted' in {}, false);
});

test('copies a container that is referenced twice', () => {
  const shared: PickleValue[] = [1n];
  const json = toJson([shared, shared]);
  assert.ok(Array.isArray(json));
  assert.deepEqual(json[0], json[1]);
  assert.notEqual(json[0], json[1]);
});

test('integers beyond 2^53 are rounded to the nearest double, as JSON.parse does', () => {
  assert.equal(toJson(2n ** 64n + 1n), JSON.parse('18446744073709551617'));
});

test('refuses a value without a JSON form, with a code for each kind', () => {
  const cases: readonly (readonly [PickleValue<unknown>, string])[] = [
    [Number.NaN, 'not_finite'],
    [new Map([['temperature', [-Infinity]]]), 'not_finite'],
    [2n ** 1024n, 'no_json_form'],
    [[new PickleObject('tensor')], 'no_json_form'],
    [new Map([[1n, null]]), 'key_not_string'],
  ];
  for (const [value, code] of cases) {
    assert.throws(
      () => toJson(value),
      (error: unknown) => error instanceof PickleError && error.code === code,
    );
  }
});

test('values of any depth are converted', () => {
  let deep: PickleValue = 1n;
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  let json: unknown = toJson(deep);
  let depth = 0;
  for (; Array.isArray(json); depth += 1) json = json[0];
  assert.deepEqual([depth, json], [100_000, 1]);
});
