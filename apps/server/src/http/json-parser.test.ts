import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { parseJson } from './json-parser.ts';

const parse = (text: string) => parseJson(new TextEncoder().encode(text));
const refuses = (text: string, reason: RegExp): void =>
  assert.throws(
    () => parse(text),
    (error) => error instanceof ApiError && error.code === 'invalid_json' && reason.test(error.message),
    text.slice(0, 50),
  );

test("keeps Python's types apart: int, float, dict, list", () => {
  assert.deepEqual(
    parse(' {"a": [64, 64.0, -0, 1e2, true, null], "b": {"c": "d"}} '),
    new Map<string, unknown>([
      ['a', [64n, 64, 0n, 100, true, null]],
      ['b', new Map([['c', 'd']])],
    ]),
  );
  assert.equal(parse('123456789012345678901234567890'), 123456789012345678901234567890n);
});

test('reads strings with escapes, lone surrogates and line separators', () => {
  assert.equal(parse('"a\\n\\u0041\\ud83d\\ude00\\ud800\\u0000\\/\u2028é"'), 'a\nA😀\ud800\0/\u2028é');
});

test('reads __proto__ as a key like any other', () => {
  assert.deepEqual(parse('{"__proto__": {"x": 1}}'), new Map([['__proto__', new Map([['x', 1n]])]]));
});

test('refuses input that parsers read differently, with its position', () => {
  refuses('{"a": 1, "a": 2}', /key "a" occurs twice \(at character 9\)/);
  refuses('1e999', /number too large/);
  refuses('9'.repeat(1001), /at most 1000 digits/);
  refuses('NaN', /expected a value/);
  refuses('Infinity', /expected a value/);
});

test('refuses broken JSON', () => {
  for (const text of [
    '',
    ' ',
    '{',
    '[1,]',
    '{"a"}',
    '{a: 1}',
    "'a'",
    '"a',
    '"\n"',
    '"\\x"',
    '"\\u12"',
    '01',
    '1.',
    '+1',
    '1 2',
  ]) {
    refuses(text, /at character \d+/);
  }
  assert.throws(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22)), /expected UTF-8/);
});

test('limits nesting and the number of values', () => {
  parse('['.repeat(200) + ']'.repeat(200));
  refuses('['.repeat(1_000_000), /at most 200 levels/);
  refuses('{"a":'.repeat(1_000_000), /at most 200 levels/);
  parse(`[${'1,'.repeat(199_998)}1]`);
  refuses(`[${'1,'.repeat(199_999)}1]`, /at most 200000 values/);
});
