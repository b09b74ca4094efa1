import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromWireJson, toWireJson } from './wire-json.ts';

test('values come back as they were, numbers that JSON lacks included', () => {
  const value = {
    logprob: Number.NEGATIVE_INFINITY,
    list: [1.5, Number.NaN, { bias: Number.POSITIVE_INFINITY }],
    text: 'a "$number"',
    none: null,
  };
  assert.deepEqual(fromWireJson(toWireJson(value)), value);
  assert.deepEqual(fromWireJson(toWireJson({ plain: [1, 'two'] })), { plain: [1, 'two'] });
});

test('text that is no JSON is refused', () => {
  assert.throws(() => fromWireJson('{"a":'), SyntaxError);
  assert.throws(() => fromWireJson('{"$number":'), SyntaxError);
});
