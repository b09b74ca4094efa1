import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodingError } from './decoding-error.ts';
import { workBudget } from './work-budget.ts';

const LIMITS = { stepsPerEvaluation: 100, stepsPerGeneration: 250, tableBytes: 1000 };

const tooCostly = (message: RegExp) => (error: unknown) =>
  error instanceof DecodingError && error.code === 'decoding_too_costly' && message.test(error.message);

test('an evaluation beyond its steps fails and names the parameter with the largest share', () => {
  const budget = workBudget(LIMITS);
  budget.startEvaluation();
  budget.charge('top_p', 70);
  budget.charge('num_beams', 30);
  assert.throws(
    () => budget.charge('num_beams', 1),
    tooCostly(
      /^top_p: one step .* at most 100 steps of work, got at least 101, of which 70 are for top_p; .*lower top_p/,
    ),
  );
});

test('every evaluation has the same steps, and all of them together those of the generation', () => {
  const budget = workBudget(LIMITS);
  for (let evaluation = 0; evaluation < 2; evaluation++) {
    budget.startEvaluation();
    budget.charge('top_k', 100);
  }
  budget.startEvaluation();
  budget.charge('num_beams', 50);
  assert.deepEqual([budget.stepsOfEvaluation(), budget.stepsOfGeneration()], [50, 250]);
  assert.throws(() => budget.charge('num_beams', 1), tooCostly(/^top_k: this generation .* 250 steps/));
});

test('tables beyond their bytes fail and name their parameter', () => {
  const budget = workBudget(LIMITS);
  budget.hold('watermarking_config', 900);
  assert.throws(() => budget.hold('stop_strings', 101), tooCostly(/^stop_strings: .* at most 1,000 bytes of tables/));
});
