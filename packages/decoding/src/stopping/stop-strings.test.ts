import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededUniforms } from '../testing/seeded-uniforms.ts';
import { textToken, textTokenBytes } from '../testing/vocabulary.ts';
import { stopStringRule } from './stop-strings.ts';

const ignore = () => {};

function rule(stops: readonly string[], start = 0) {
  const ends = stopStringRule(stops, textTokenBytes, { start, charge: ignore, hold: ignore });
  return (tokens: readonly number[]) => ends(tokens, tokens.length - 1, tokens.at(-1)!);
}

const stops = (stop: string | readonly string[], tokens: readonly string[]) =>
  rule(typeof stop === 'string' ? [stop] : stop)(tokens.map(textToken));

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
  const ends = rule(['日x']);
  const [first, second, third] = new TextEncoder().encode('日');
  assert.equal(ends([65, first!, second!, third!, textToken('x')]), true);
  assert.equal(ends([65, first!, second!, textToken('x')]), false);
});

test('tokens without bytes neither complete nor interrupt a stop string', () => {
  const ends = rule(['ab']);
  assert.equal(ends([97, 98, 9999]), false);
  assert.equal(ends([97, 9999, 98]), true);
});

test('ignores tokens before `start`', () => {
  const ends = rule(['stop'], 2);
  assert.equal(ends([textToken('op'), textToken('st'), textToken('op')]), false);
  assert.equal(ends([textToken('op'), textToken('op'), textToken('st'), textToken('op')]), true);
});

test('finds what a search for every stop string at every byte finds', () => {
  const draw = seededUniforms(4);
  const letters = [97, 98, textToken('ab'), textToken('st')];
  const text = (length: number) => Array.from({ length }, () => letters[Math.floor(draw() * letters.length)]!);
  const bytesOf = (tokens: readonly number[]) => Buffer.concat(tokens.map(textTokenBytes)).toString('latin1');
  for (let round = 0; round < 500; round++) {
    const stops = Array.from({ length: 1 + Math.floor(draw() * 4) }, () => bytesOf(text(1 + Math.floor(draw() * 3))));
    const tokens = text(1 + Math.floor(draw() * 6));
    const before = bytesOf(tokens.slice(0, -1)).length;
    const whole = bytesOf(tokens);
    const isFound = stops.some((stop) => {
      const at = whole.lastIndexOf(stop);
      return at !== -1 && at + stop.length > before;
    });
    assert.equal(rule(stops)(tokens), isFound, `${stops} in ${whole}`);
  }
});

test('the steps of a token do not depend on the number of stop strings', () => {
  const stepsFor = (count: number): number => {
    let steps = 0;
    const stops = Array.from({ length: count }, (_, index) => 'a'.repeat(30) + String(index).padStart(4, '0'));
    const charge = (charged: number) => {
      steps += charged;
    };
    const ends = stopStringRule(stops, textTokenBytes, { start: 0, charge, hold: ignore });
    steps = 0;
    ends(new Array<number>(100).fill(97), 100, 97);
    return steps;
  };
  assert.equal(stepsFor(500), stepsFor(1));
});
