import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textToken, textTokenBytes } from '../testing/vocabulary.ts';
import { stopStringRule } from './stop-strings.ts';

const stops = (stop: string | readonly string[], tokens: readonly string[]) =>
  stopStringRule(typeof stop === 'string' ? [stop] : stop, textTokenBytes)(tokens.map(textToken));

test('a stop string ends the sequence when its last byte lies in the last token', () => {
  assert.equal(stops('stop', ['st', 'op']), true);
  assert.equal(stops('stop', ['s', 't', 'o', 'p']), true);
  assert.equal(stops('stop', ['st', 'o']), false);
  assert.equal(stops('stop', ['op', 'st']), false);
  assert.equal(stops(['x', 'stop'], ['st', 'op']), true);
});

test('the token may reach beyond the stop string on both sides', () => {
  assert.equal(stops('stop', ['st', 'opera']), true);
  assert.equal(stops('stop', ['xstopx']), true);
  assert.equal(stops('p', ['opera']), true);
});

test('ignores a stop string that ended before the last token', () => {
  assert.equal(stops('stop', ['st', 'op', 'a']), false);
  assert.equal(stops('stop', ['xstopx', 'st']), false);
  assert.equal(stops(['a', 'stopper'], ['a', 'st']), false);
});

test('characters split over tokens are compared as bytes', () => {
  const rule = stopStringRule(['日x'], textTokenBytes);
  const [first, second, third] = new TextEncoder().encode('日');
  assert.equal(rule([65, first!, second!, third!, textToken('x')]), true);
  assert.equal(rule([65, first!, second!, textToken('x')]), false);
});

test('tokens without bytes neither complete nor interrupt a stop string', () => {
  const rule = stopStringRule(['ab'], textTokenBytes);
  assert.equal(rule([97, 98, 9999]), false);
  assert.equal(rule([97, 9999, 98]), true);
});

test('ignores tokens before `start`', () => {
  const rule = stopStringRule(['stop'], textTokenBytes, 2);
  assert.equal(rule([textToken('op'), textToken('st'), textToken('op')]), false);
  assert.equal(rule([textToken('op'), textToken('op'), textToken('st'), textToken('op')]), true);
});
