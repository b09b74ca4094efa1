import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluateTask } from '../evaluate-task.ts';
import type { EvalModel } from '../scoring/eval-model.ts';
import { findTask } from '../tasks/builtin-tasks.ts';
import { readTaskDocuments } from '../tasks/task-file.ts';
import { toReport } from './evaluation-report.ts';
import { toHarnessResults, toHarnessSamples } from './harness-files.ts';

const identity = { adapter: 'engine', model: 'none', weights: '', type: null, engine: null } as const;

/** Every continuation has the same log-likelihood. */
const model: EvalModel = {
  identity,
  form: 'harness',
  logLikelihood: async (requests) =>
    requests.map(() => ({ tokens: [0], scores: { logprobs: [-1], greedy: [false], top: [false] } })),
  rollingLogLikelihood: async () => [],
  generateUntil: async () => [],
};

// The target of the first document, and the task's hash over those of the first ten, in the files of a run of
// lm-evaluation-harness 0.4.13 (`bench/peers/lm_eval_tasks.py score`).
const HARNESS: readonly (readonly [string, string, string])[] = [
  ['lambada_openai', ' signs', '960f95b993455fd9dd250f956875cfabbe8d6a99d52d5541625386e9307285a1'],
  ['winogrande', 'always got the easier cases.', '0f127354d3d3034dfa80028a5d60303c31cb4021a0cc3f47a2b6093d74b487b6'],
  ['hellaswag', '3', '453790cfb316629ca58106281a684fb9819ee9517ebfc4d7616a8b6f53068e00'],
  ['piqa', '0', '608460916b58fe899a23c5a1d751d2bd0778a0835770e60279267206fc60b40a'],
  ['mathqa', '0', 'f1573453cbca9a896383b298c7d14275a28db21a88848826482634ebe9f3f335'],
  ['pubmedqa', 'yes', 'b8fdaa7b0316a261137bec77048a7c79dd0a66b58c0fb48f60e7cf70574dd6c6'],
  ['lambada_standard', ' signs', '94ede9555823337ef39fb7cfb28475f0d0b3fd4a2359de41e34cb5c95a45063b'],
];

for (const [name, target, hash] of HARNESS) {
  test(`documents, prompts and targets of ${name} have the hashes of the harness`, async () => {
    const task = findTask(name);
    const documents = (await readTaskDocuments(task)).slice(0, 10);
    const bootstrap = { iterations: 100 };
    const evaluation = { ...(await evaluateTask({ model, task, documents, bootstrap })), form: 'harness' as const };
    const report = toReport({
      model: identity,
      versions: {},
      limit: 10,
      selfChecks: [],
      skippedSelfChecks: [],
      evaluations: [evaluation],
    });
    const results = toHarnessResults({ report, evaluations: [evaluation], seconds: 1, date: new Date(0) });
    assert.equal(JSON.parse(toHarnessSamples(evaluation)[0]!).target, target);
    assert.deepEqual(Object(results).task_hashes, { [name]: hash });
    assert.equal(Object(results).results[name].sample_len, 10);
  });
}
