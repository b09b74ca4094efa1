import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareReports, type TaskChange } from './compare-reports.ts';
import type { EvaluationReport } from './evaluation-report.ts';
import { readReport } from './read-report.ts';

interface Answer {
  readonly gold: number;
  readonly logLikelihoods: readonly number[];
  readonly values: Readonly<Record<string, number>>;
}

function reportOf(answers: readonly Answer[], metrics: readonly string[]): EvaluationReport {
  const task = {
    task: 'questions',
    form: 'harness',
    documentCount: answers.length,
    requestsSha256: 'a',
    metrics: metrics.map((metric) => ({ metric })),
    documents: answers.map((answer, id) => ({ id, ...answer })),
  };
  return readReport(
    JSON.stringify({ format: 'gptj-eval/1', model: { model: 'nano' }, seeds: {}, tasks: [task] }),
    'a.json',
  );
}

/** Documents of two choices. */
function compare(before: readonly Answer[], after: readonly Answer[], metrics = ['acc']): TaskChange {
  const [change] = compareReports(reportOf(before, metrics), reportOf(after, metrics));
  assert.ok(change !== undefined);
  return change;
}

const answer = (gold: number, ...logLikelihoods: readonly number[]): Answer => {
  const best = logLikelihoods.indexOf(Math.max(...logLikelihoods));
  return { gold, logLikelihoods, values: { acc: Number(best === gold) } };
};

test('answers that flipped are counted also where the accuracy is the same', () => {
  const before = [answer(0, -1, -2), answer(1, -1, -2), answer(0, -5, -9)];
  const after = [answer(0, -2, -1), answer(1, -2, -1), answer(0, -5, -28)];
  const { flips, accuracies, moved } = compare(before, after);
  assert.equal(flips, 2);
  assert.deepEqual(accuracies, [{ metric: 'acc', before: 2 / 3, after: 2 / 3, gained: 1, lost: 1, p: 1 }]);
  assert.deepEqual(moved[0], { id: 0, marginBefore: 1, marginAfter: -1 });
  assert.deepEqual(
    moved.map(({ id }) => id),
    [0, 1, 2],
  );
});

test('the divergence is that of the distributions over choices, and their common level does not count', () => {
  const [a, b] = [Math.log(0.75), Math.log(0.25)];
  const half = Math.log(0.5);
  const same = compare([answer(0, a, b)], [answer(0, a - 7, b - 7)]);
  assert.ok(same.divergence !== null && same.divergence.mean < 1e-15);
  assert.equal(same.divergence.standardError, null);
  const { divergence } = compare([answer(0, a, b), answer(0, a, b)], [answer(0, a, b), answer(0, half, half)]);
  const expected = 0.75 * Math.log(1.5) + 0.25 * Math.log(0.5);
  assert.ok(Math.abs(divergence!.mean - expected / 2) < 1e-15);
  // Of 0 and `expected`: the deviation expected ÷ √2 by √2.
  assert.ok(Math.abs(divergence!.standardError! - expected / 2) < 1e-15);
});

test('the divergence of a continuation is that of it against all others', () => {
  const only = (share: number): Answer => ({ gold: 0, logLikelihoods: [Math.log(share)], values: { acc: 1 } });
  const { divergence } = compare([only(0.5)], [only(0.25)], ['perplexity', 'acc']);
  const expected = 0.5 * Math.log(2) + 0.5 * Math.log(0.5 / 0.75);
  assert.ok(Math.abs(divergence!.mean - expected) < 1e-15);
  // A log-likelihood that was rounded to 0 leaves something to the others.
  const certain = compare([only(1 - 1e-6)], [only(1)], ['perplexity', 'acc']).divergence!.mean;
  assert.ok(certain > 1e-6 && certain < 1e-4, String(certain));
  assert.ok(compare([only(1e-300)], [only(1e-200)], ['perplexity', 'acc']).divergence!.mean < 1e-15);
});

test('generated texts and perplexities of whole texts have no divergence', () => {
  const text = { gold: 0, logLikelihoods: [], values: { exact_match: 1 } };
  assert.equal(compare([text], [text], ['exact_match']).divergence, null);
  const rolling = { gold: 0, logLikelihoods: [-900], values: {} };
  assert.equal(compare([rolling], [rolling], ['word_perplexity']).divergence, null);
});
