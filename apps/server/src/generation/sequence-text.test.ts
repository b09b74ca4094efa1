import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_6B } from '@gptj-cloud/model';
import { byteTokenizer } from '../testing/fake-model.ts';
import { bytesOf } from '../testing/scripted-model.ts';
import { createSequenceText } from './sequence-text.ts';

function stream(text: string, stops: readonly string[]) {
  const sequence = createSequenceText(byteTokenizer, stops);
  const parts = bytesOf(text).map((token) => sequence.push([token]));
  return [...parts, sequence.end()];
}

const textOf = (parts: readonly { readonly text: string }[]) => parts.map(({ text }) => text);

test('text comes with the token that completes it', () => {
  assert.deepEqual(textOf(stream('aé🙂', [])), ['a', '', 'é', '', '', '', '🙂', '']);
});

test('what may begin a stop string is held back until more text decides', () => {
  assert.deepEqual(textOf(stream('a##b', ['##!'])), ['a', '', '', '##b', '']);
  assert.deepEqual(textOf(stream('ab##', ['##!'])), ['a', 'b', '', '', '##']);
});

test('a stop string never leaks, whatever tokens it is cut into', () => {
  for (const text of ['one STOP two', 'STOP', 'one ST STOP']) {
    const shown = textOf(stream(text, ['STOP', 'P'])).join('');
    assert.equal(shown, text.slice(0, text.indexOf('STOP')));
  }
});

test('tokens are shown with their text, and those that begin in a stop string never', () => {
  const tokens = stream('ab##c', ['##']).flatMap((part) => part.tokens.map(({ token }) => token));
  assert.deepEqual(tokens, bytesOf('ab'));
  const held = stream('ab#c', ['##']).map((part) => part.tokens.length);
  assert.deepEqual(held, [1, 1, 0, 2, 0]);
});

test('offsets count characters, and parts of one character share an offset', () => {
  const offsets = stream('é🙂a', []).flatMap((part) => part.tokens.map(({ offset }) => offset));
  assert.deepEqual(offsets, [0, 0, 1, 1, 1, 1, 2]);
});

test('control tokens show nothing; half a character at the end becomes a replacement', () => {
  const sequence = createSequenceText(byteTokenizer, []);
  assert.deepEqual(sequence.push([GPTJ_6B.eosTokenId]), { text: '', tokens: [] });
  assert.equal(sequence.push([0xc3]).text, '');
  assert.equal(sequence.end().text, '\ufffd');
});
