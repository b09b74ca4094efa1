import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { encodeRequest, rollingWindows, truncateRequest } from './encode-request.ts';

const PREFIX = 99;
/** One token for each character, but one for the pair `ab`. */
const tokenizer = {
  encode: (text: string) => (text.match(/ab|[\s\S]/g) ?? []).map((piece) => (piece === 'ab' ? 7 : piece.charCodeAt(0))),
} as Tokenizer;
const encoding = { tokenizer, prefixToken: PREFIX };
const codes = (text: string): readonly number[] => Array.from(text, (unit) => unit.charCodeAt(0));

test('white space at the end of a context moves to the continuation', () => {
  assert.deepEqual(encodeRequest({ context: 'x \n', continuation: 'y' }, 'harness', encoding), {
    context: codes('x'),
    continuation: codes(' \ny'),
  });
});

test('context and continuation are tokenised together and cut at the number of tokens of the context', () => {
  // `a` alone is one token, and so is `ab`: the continuation is cut after the first token of the whole.
  assert.deepEqual(encodeRequest({ context: 'a', continuation: 'bc' }, 'harness', encoding), {
    context: [7],
    continuation: codes('c'),
  });
});

test('the published form begins with the prefix, and tokenises apart', () => {
  assert.deepEqual(encodeRequest({ context: '‘a’', continuation: 'b' }, 'published', encoding), {
    context: [PREFIX, ...codes("'a'")],
    continuation: codes('b'),
  });
});

test('no context is the prefix token', () => {
  assert.deepEqual(encodeRequest({ context: '', continuation: 'xy' }, 'harness', encoding), {
    context: [PREFIX],
    continuation: codes('xy'),
  });
});

test('a continuation without tokens is refused', () => {
  assert.throws(
    () => encodeRequest({ context: 'x', continuation: '' }, 'harness', encoding),
    /a continuation of at least one token/,
  );
});

test('a request that is too long keeps its last tokens, and its continuation whole', () => {
  const request = { context: [1, 2, 3, 4], continuation: [5, 6] };
  assert.deepEqual(truncateRequest(request, 4), { context: [3, 4], continuation: [5, 6] });
  assert.equal(truncateRequest(request, 6).context.length, 4);
  assert.throws(() => truncateRequest(request, 2), /a continuation of at most 1 tokens, got 2/);
});

// The case of lm-evaluation-harness, tests/test_utils.py: 34 tokens, windows of 10, after make_disjoint_window.
test('rolling windows score each token once, and the last one is as long as the others', () => {
  const range = (from: number, to: number): readonly number[] =>
    Array.from({ length: to - from }, (_, at) => from + at);
  assert.deepEqual(rollingWindows(range(0, 34), { prefixToken: -100, maxTokens: 10 }), [
    { context: [-100], continuation: range(0, 10) },
    { context: [9], continuation: range(10, 20) },
    { context: [19], continuation: range(20, 30) },
    { context: range(23, 30), continuation: range(30, 34) },
  ]);
  assert.deepEqual(rollingWindows([1, 2], { prefixToken: 0, maxTokens: 10 }), [{ context: [0], continuation: [1, 2] }]);
});
