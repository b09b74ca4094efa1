import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bookOf, planOf } from '../../testing/plans.ts';
import { priceOf } from './price.ts';

const prices = { monthly: 9, perThousandPromptTokens: 0.5, perThousandGeneratedTokens: 1, perComputeHour: 2 };
const book = bookOf(planOf('p', { prices }));

test('a price is the sum of the prompt, the other computed tokens and the time', () => {
  const cost = { promptTokens: 1, computedTokens: 4, computeMs: 1800 };
  assert.deepEqual(priceOf(book, 'p', cost), { amount: '0.0045', currency: book.currency });
});

test('a price is exact to a billionth and has at least two digits after the point', () => {
  const none = { promptTokens: 0, computedTokens: 0, computeMs: 0 };
  assert.equal(priceOf(book, 'p', none).amount, '0.00');
  assert.equal(priceOf(book, 'p', { ...none, computeMs: 1 }).amount, '0.000000556');
  assert.equal(priceOf(book, 'p', { ...none, computedTokens: 12_000 }).amount, '12.00');
});
