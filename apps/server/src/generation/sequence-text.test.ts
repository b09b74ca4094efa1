import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_6B } from '@gptj-cloud/model';
import { byteTokenizer } from '../testing/fake-model.ts';
import { bytesOf } from '../testing/scripted-model.ts';
import { readPromptText } from './prompt-text.ts';
import { createSequenceText } from './sequence-text.ts';

const EOS = GPTJ_6B.eosTokenId;

function stream(text: string, stops: readonly string[]) {
  const sequence = createSequenceText(byteTokenizer, { stops });
  const parts = bytesOf(text).map((token) => sequence.push([token]));
  return [...parts, sequence.end()];
}

const textOf = (parts: readonly { readonly text: string }[]) => parts.map(({ text }) => text);

test('shows text with the token that completes it', () => {
  assert.deepEqual(textOf(stream('aé🙂', [])), ['a', '', 'é', '', '', '', '🙂', '']);
});

test('buffers a possible beginning of a stop string until it is certain', () => {
  assert.deepEqual(textOf(stream('a##b', ['##!'])), ['a', '', '', '##b', '']);
  assert.deepEqual(textOf(stream('ab##', ['##!'])), ['a', 'b', '', '', '##']);
});

test('never shows a stop string, however tokens split it', () => {
  for (const text of ['one STOP two', 'STOP', 'one ST STOP']) {
    const shown = textOf(stream(text, ['STOP', 'P'])).join('');
    assert.equal(shown, text.slice(0, text.indexOf('STOP')));
  }
});

test('reports tokens with their text, and never those that begin in a stop string', () => {
  const tokens = stream('ab##c', ['##']).flatMap((part) => part.tokens.map(({ token }) => token));
  assert.deepEqual(tokens, bytesOf('ab'));
  const held = stream('ab#c', ['##']).map((part) => part.tokens.length);
  assert.deepEqual(held, [1, 1, 0, 2, 0]);
});

test('counts offsets in characters, the same for parts of one character', () => {
  const offsets = stream('é🙂a', []).flatMap((part) => part.tokens.map(({ offset }) => offset));
  assert.deepEqual(offsets, [0, 0, 1, 1, 1, 1, 2]);
});

test('reports special tokens without text, at their offset', () => {
  const sequence = createSequenceText(byteTokenizer, { stops: ['##'] });
  const report = { token: EOS, logprob: -1, top: [] };
  assert.deepEqual(sequence.push([EOS], [report]), { text: '', tokens: [{ token: EOS, offset: 0, report }] });
  assert.deepEqual(sequence.push([0x61, 0x23]).tokens.length, 1);
  // Behind text that is held back, an EOS is held back, too.
  assert.deepEqual(sequence.push([EOS]).tokens, []);
  assert.deepEqual(
    sequence.end().tokens.map(({ token, offset }) => [token, offset]),
    [
      [0x23, 1],
      [EOS, 2],
    ],
  );
});

test('ends a text inside a character with a replacement, which counts before a special token', () => {
  const sequence = createSequenceText(byteTokenizer, { stops: [] });
  assert.equal(sequence.push([0xc3]).text, '');
  assert.deepEqual(
    sequence.push([EOS]).tokens.map(({ offset }) => offset),
    [1],
  );
  assert.equal(sequence.end().text, '\ufffd');
});

/** Text and offsets after the prompt "a" and the first byte of "日", which is e6 97 a5. */
function afterBrokenPrompt(tokens: readonly number[], echo: boolean): readonly [string, readonly number[]] {
  const prompt = readPromptText(byteTokenizer, [0x61, 0xe6]);
  assert.deepEqual([prompt.text, prompt.characters, [...prompt.incomplete]], ['a', 1, [0xe6]]);
  const sequence = createSequenceText(byteTokenizer, { stops: ['\u65e5x'], prompt, echo });
  const parts = [...tokens.map((token) => sequence.push([token])), sequence.end()];
  return [textOf(parts).join(''), parts.flatMap((part) => part.tokens.map(({ offset }) => offset))];
}

test('ends the character that the prompt began, echoed or not', () => {
  for (const echo of [true, false]) {
    assert.deepEqual(afterBrokenPrompt([0x97, 0xa5, 0x78], echo), ['日x', [1, 1, 2]]);
    assert.deepEqual(afterBrokenPrompt([0x97, 0x78], echo), ['\ufffdx', [1, 2]]);
  }
});

test('leaves a broken character at the end of the prompt to the echo where the output does not continue it', () => {
  assert.deepEqual(afterBrokenPrompt([0x78], true), ['\ufffdx', [2]]);
  assert.deepEqual(afterBrokenPrompt([0x78], false), ['x', [2]]);
  assert.deepEqual(afterBrokenPrompt([EOS], true), ['\ufffd', [2]]);
  assert.deepEqual(afterBrokenPrompt([], false), ['', []]);
});
