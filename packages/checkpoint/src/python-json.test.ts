import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePythonJson } from './python-json.ts';

test('reads NaN and the infinities, which Python writes, outside strings only', () => {
  assert.deepEqual(parsePythonJson('{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN \\" Infinity", "d": 1}'), {
    a: Number.POSITIVE_INFINITY,
    b: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    c: 'NaN " Infinity',
    d: 1,
  });
});

test('refuses invalid JSON', () => {
  for (const text of ['{', 'NaNa', '{a: NaN}', '']) assert.throws(() => parsePythonJson(text), SyntaxError);
});
