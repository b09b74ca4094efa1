import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entropyOf, flowingToken, formatChance, heatOf, rankOf, visibleToken } from './token-scale.ts';

const chance = (probability: number, ...others: readonly number[]) => ({
  logprob: Math.log(probability),
  top: [probability, ...others].sort((a, b) => b - a).map((each) => ({ logprob: Math.log(each) })),
});

test('probability, rank and entropy have six steps each', () => {
  const steps = [0.9, 0.6, 0.3, 0.1, 0.02, 0.001].map((each) => heatOf(chance(each), 'probability'));
  assert.deepEqual(steps, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([heatOf(chance(0.5, 0.3), 'rank'), heatOf(chance(0.3, 0.5), 'rank')], [1, 2]);
  assert.equal(heatOf(chance(0.01, ...Array.from({ length: 20 }, () => 0.02)), 'rank'), 6);
  assert.deepEqual([heatOf(chance(0.99, 0.01), 'entropy'), heatOf(chance(0.25, 0.25, 0.25, 0.25), 'entropy')], [1, 4]);
  assert.equal(heatOf({ logprob: null, top: [] }, 'probability'), null);
});

test('the rank counts more likely tokens, and the entropy is that of the listed ones', () => {
  assert.equal(rankOf(chance(0.1, 0.4, 0.3)), 3);
  assert.equal(entropyOf(chance(0.2, 0.2)), 1);
  assert.equal(entropyOf({ logprob: null, top: [] }), 0);
});

test('probabilities keep digits where they are small', () => {
  const shown = [0.9999, 0.31, 0.052, 0.0005, 0.00001].map((each) => formatChance(Math.log(each)));
  assert.deepEqual(shown, ['100 %', '31 %', '5.2 %', '0.05 %', '< 0.01 %']);
});

test('spaces and line ends of tokens are visible', () => {
  assert.equal(visibleToken(' boy\n'), '·boy↵');
  assert.equal(flowingToken(' boy\n'), '\u200b·boy↵\n');
});
