import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf } from '../../testing/plans.ts';
import { invoicePreview } from './invoice.ts';
import type { PlanUsage } from './usage-store.ts';

const FREE = planOf('free');
const DEVELOPER = planOf('developer', {
  name: 'Developer',
  prices: { monthly: 12.99, perThousandPromptTokens: 0.0004, perThousandGeneratedTokens: 0.002, perComputeHour: 2 },
});
const plans = new Map([FREE, DEVELOPER].map((plan) => [plan.id, plan]));
const preview = (planId: string, usage: readonly PlanUsage[]) =>
  invoicePreview({
    month: '2026-01',
    userId: 'user_1',
    currency: 'USD',
    plan: plans.get(planId) ?? FREE,
    isMember: true,
    planOf: (id) => plans.get(id) ?? FREE,
    usage,
  });
const used = (planId: string, prompt: number, beyondPrompt: number, ms: number): PlanUsage => ({
  planId,
  runs: 1,
  prompt_tokens: prompt,
  generated_tokens: Math.min(beyondPrompt, 10),
  computed_tokens: prompt + beyondPrompt,
  cached_tokens: 0,
  compute_ms: ms,
});

test('each line is quantity times price of what was computed, and the total is their sum', () => {
  const invoice = preview('developer', [used('developer', 1_000_000, 250_500, 5_400_000)]);
  assert.deepEqual(
    invoice.lines.map(({ quantity, unit, amount }) => [quantity, unit, amount]),
    [
      [1, 'month', '12.99'],
      [1_000_000, 'token', '0.40'],
      [250_500, 'token', '0.50'],
      [5_400_000, 'ms', '3.00'],
    ],
  );
  assert.equal(invoice.total, '16.89');
});

test('prices usage by the plan in force at the time, and the month by the present plan', () => {
  assert.equal(preview('free', [used('free', 1e9, 1e9, 1e9), used('developer', 0, 0, 3_600_000)]).total, '2.00');
  assert.deepEqual(preview('free', []).lines, []);
  assert.equal(preview('free', []).total, '0.00');
});

test('rounds half a hundredth up and less down; large sums stay exact', () => {
  // 12,500 tokens at 0.0004 per 1,000 are half a cent.
  assert.equal(preview('free', [used('developer', 12_500, 0, 0)]).total, '0.01');
  assert.equal(preview('free', [used('developer', 12_499, 0, 0)]).total, '0.00');
  assert.equal(preview('free', [used('developer', 9_007_199_254_740_991, 0, 0)]).total, '3602879701.90');
});
