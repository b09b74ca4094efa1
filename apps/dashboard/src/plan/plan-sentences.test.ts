import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '@gptj-cloud/sdk';
import { monthlyPrice, planLimits, pricesOfUse } from './plan-sentences.ts';

const FREE: Plan = {
  id: 'free',
  name: 'Free',
  description: '',
  requestsPerMinute: 20,
  concurrentRuns: 2,
  tokensPerDay: 20_000,
  tokensPerMonth: 200_000,
  storedBytes: 209_715_200,
  storedItems: 40_000,
  pipelineTags: 20,
  maxGenerationSeconds: 120,
  maxRunSeconds: 300,
  priority: 0,
  maxContext: 2048,
  models: ['gptj-nano*'],
  prices: { monthly: 0, per1000PromptTokens: 0, per1000GeneratedTokens: 0, perComputeHour: 0 },
};

test('states every limit with its unit', () => {
  assert.deepEqual(planLimits(FREE), [
    'The model gptj-nano*',
    '20 k tokens a day',
    '200 k tokens a month',
    '20 requests a minute',
    '2 runs at once',
    'Up to 2,048 tokens of prompt and output together',
    'Up to 2 min of computing for a generation',
    '200 MiB of inputs, results and files',
    '20 tags in a project',
  ]);
});

test('says where there is no limit', () => {
  const limits = planLimits({
    ...FREE,
    models: ['*'],
    tokensPerDay: null,
    requestsPerMinute: null,
    concurrentRuns: null,
    storedBytes: null,
  });
  for (const text of [
    'Every model',
    'No limit of tokens a day',
    'No limit of requests a minute',
    'Any number of runs at once',
  ]) {
    assert.ok(limits.includes(text), text);
  }
});

test('states prices in the currency of the plans, and that use costs nothing', () => {
  assert.deepEqual([monthlyPrice(FREE, 'EUR'), pricesOfUse(FREE, 'EUR')], ['No monthly price', ['Use costs nothing']]);
  const paid = { ...FREE, prices: { ...FREE.prices, monthly: 12.99, perComputeHour: 2 } };
  assert.equal(monthlyPrice(paid, 'USD'), '$12.99 a month');
  assert.deepEqual(pricesOfUse(paid, 'USD'), ['$2.00 an hour of computing, by the millisecond']);
});
