import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunCheck } from '@gptj-cloud/sdk';
import { fitOffer } from './fit-offer.ts';

function refused(code: string, message: string, details: object, counts: Partial<RunCheck> = {}): RunCheck {
  return {
    promptTokens: null,
    maxGeneratedTokens: null,
    contextTokens: null,
    mode: null,
    warnings: [],
    costAtMost: null,
    refusal: { code, status: 400, message, remedy: null, retryAfterSeconds: null, details: { ...details } },
    ...counts,
  };
}

const cost = (computedTokens: number) => ({ amount: '0', currency: 'USD', computedTokens, perComputeHour: 0 });

test('a quota offers the tokens that are left, and plans', () => {
  const quota = { limit: 300, used: 0, reserved: 0 };
  const counts = { promptTokens: 12, maxGeneratedTokens: 400, costAtMost: cost(412) };
  const offer = fitOffer(refused('quota_exceeded', 'm', quota, counts));
  assert.deepEqual([offer.newTokens, offer.hasPlans], [288, true]);
  const beams = fitOffer(refused('quota_exceeded', 'm', quota, { ...counts, costAtMost: cost(1612) }));
  assert.deepEqual([beams.newTokens, beams.hasPlans], [null, true]);
  const empty = fitOffer(refused('quota_exceeded', 'm', { ...quota, used: 295 }, counts));
  assert.equal(empty.newTokens, null);
  assert.equal(fitOffer(refused('plan_required', 'm', {})).hasPlans, true);
});

test('a length beyond the context offers the one that fits; a prompt that is too long is named', () => {
  const message =
    'max_new_tokens: prompt and output together may have 2048 tokens; the prompt has 2021, so at most 27 new tokens are possible, got 64';
  assert.equal(fitOffer(refused('invalid_parameter', message, { reason: 'limit_exceeded' })).newTokens, 27);
  const long = fitOffer(refused('invalid_input', 'GPT-J inference is limited to 2048 tokens. Reduce it.', {}));
  assert.deepEqual([long.newTokens, long.isPromptTooLong], [null, true]);
  assert.equal(fitOffer(refused('invalid_input', 'temperature', {})).isPromptTooLong, false);
});
