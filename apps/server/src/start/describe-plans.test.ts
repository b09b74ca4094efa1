import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPlanBook } from '../metering/plans/plan-book.ts';
import { describePlans } from './describe-plans.ts';

test('names open plans, and original ones that do not give new accounts the served model', async () => {
  const [original, open] = [await openPlanBook(null), await openPlanBook(null, 'open')];
  assert.equal(describePlans(open, 'gpt-j-6b', 'open'), 'Plans: open; every account may use gpt-j-6b without limits');
  assert.equal(describePlans(original, 'gptj-nano', 'original'), null);
  assert.match(
    describePlans(original, 'gpt-j-6b', 'original') ?? '',
    /Free, .* An owner grants Developer or Premium: gptj/,
  );
});
