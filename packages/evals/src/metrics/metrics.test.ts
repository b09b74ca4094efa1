import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choiceDocument, lastWordDocument } from '../tasks/documents.ts';
import { aggregate } from './aggregate.ts';
import { bootstrapPerplexityError } from './bootstrap.ts';
import { type DocumentAnswer, toItems } from './document-result.ts';

const answer = (...logLikelihoods: readonly number[]): DocumentAnswer => ({
  scores: logLikelihoods.map((logLikelihood) => ({ logLikelihood, isGreedy: false })),
  text: null,
  tokens: 4,
});

// CPython 3.11.7 with the bootstrap of lm-evaluation-harness: 100 chunks of 1,000 samples, random.Random(i).choices.
test('the bootstrap gives the standard error of Python to the last bit', async () => {
  const items = Array.from({ length: 57 }, (_, at) => -((at * 7919) % 101) / 13 - 0.25);
  assert.equal(await bootstrapPerplexityError(items), 18.224552503376913);
});

test('the standard error of a mean is the sample deviation by the root of the count', async () => {
  const [acc] = await aggregate(['acc'], [{ acc: 1 }, { acc: 0 }, { acc: 0 }, { acc: 1 }]);
  assert.deepEqual(acc, { metric: 'acc', value: 0.5, standardError: Math.sqrt(1 / 3) / 2 });
});

test('one document has no standard error', async () => {
  const values = await aggregate(['acc', 'perplexity'], [{ acc: 1, perplexity: -2 }]);
  assert.deepEqual(
    values.map(({ standardError }) => standardError),
    [null, null],
  );
});

test('acc_norm divides by code points, the own leading space of a choice counted and the added one not', () => {
  const document = choiceDocument({}, { context: 'c', choices: [' 😀a', 'bcde'], gold: 0 });
  // -3 of three code points and -4.4 of four; by UTF-16 units or by bytes the second one would be no better than the first.
  assert.equal(toItems({ kind: 'multiple-choice' }, document, answer(-3, -4.4)).acc_norm, 1);
  assert.equal(toItems({ kind: 'multiple-choice' }, document, answer(-3.6, -4.4)).acc_norm, 0);
  assert.equal(toItems({ kind: 'multiple-choice' }, document, answer(-3.6, -4.4)).acc_bytes, 1);
});

test('of equal choices the first one is the answer', () => {
  const choices = ['x', 'y'];
  const gold = (at: number) => choiceDocument({}, { context: 'c', choices, gold: at });
  assert.equal(toItems({ kind: 'multiple-choice' }, gold(0), answer(-2, -2)).acc, 1);
  assert.equal(toItems({ kind: 'multiple-choice' }, gold(1), answer(-2, -2)).acc, 0);
});

test('perplexities of a text are by word, byte and token', async () => {
  const document = { ...lastWordDocument({}, 'x'), requests: [{ context: '', continuation: 'two wörds' }] };
  const items = toItems({ kind: 'rolling' }, document, answer(-8));
  const values = await aggregate(['word_perplexity', 'byte_perplexity', 'token_perplexity', 'bits_per_byte'], [items]);
  assert.deepEqual(
    values.map(({ value }) => value),
    [Math.exp(4), Math.exp(0.8), Math.exp(2), 0.8 / Math.LN2],
  );
});
