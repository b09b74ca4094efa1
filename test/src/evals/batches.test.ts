// The scores of a request do not depend on its batch, and equal those of one evaluation of the whole request.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type OpenModel, openModel } from '@gptj-cloud/engine';
import {
  createEvalModel,
  createLanguageModelScorer,
  evaluateTask,
  findTask,
  readTaskDocuments,
  type TaskEvaluation,
} from '@gptj-cloud/evals';

const MODEL = fileURLToPath(new URL('../../../models/gptj-nano/gptj-nano-q8_0.gguf', import.meta.url));
const IDENTITY = { adapter: 'engine', model: 'nano', weights: '', type: null, engine: null } as const;

let opened: OpenModel;
before(async () => {
  opened = await openModel({ path: MODEL, kind: 'kernels', cacheCells: 4096 });
});
after(async () => {
  await opened.close();
});

async function evaluate(name: string, batchTokens: number, sharesPrefixes = true): Promise<TaskEvaluation> {
  const { model, tokenizer } = opened;
  const scorer = createLanguageModelScorer({ model, tokenizer, identity: IDENTITY, batchTokens, sharesPrefixes });
  const task = findTask(name);
  return await evaluateTask({
    model: createEvalModel({ scorer, tokenizer, prefixToken: 50256, form: 'published', journal: null }),
    task,
    documents: (await readTaskDocuments(task)).slice(0, 6),
    bootstrap: { iterations: 100 },
  });
}

for (const name of ['hellaswag', 'pubmedqa', 'winogrande']) {
  test(`the scores of ${name} are the same bits alone, in batches, and without sharing`, async () => {
    const alone = await evaluate(name, 1);
    assert.deepEqual(await evaluate(name, 500), alone);
    assert.deepEqual(await evaluate(name, 4096), alone);
    assert.deepEqual(await evaluate(name, 4096, false), alone);
    assert.equal(opened.model.freeCells, opened.model.limits.cacheCells, 'every sequence is released');
  });
}

test('scores equal the log-softmax of one evaluation of context and continuation', async () => {
  const { documents } = await evaluate('piqa', 4096);
  const { model, tokenizer } = opened;
  const { context, continuation } = documents[0]!.requests[0]!;
  const contextIds = [50256, ...tokenizer.encode(context)];
  const ids = tokenizer.encode(continuation);
  const sequence = model.open();
  const [result] = await model.evaluate([{ sequence, tokens: [...contextIds, ...ids].slice(0, -1), scored: 'all' }]);
  const expected = ids.map((token, at) => {
    const logits = result!.logits[contextIds.length - 1 + at]!;
    const largest = Math.max(...logits);
    return logits[token]! - largest - Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  });
  model.release(sequence);
  const got = documents[0]!.scored[0]!.scores.logprobs;
  assert.equal(got.length, expected.length);
  for (const [at, value] of expected.entries()) assert.ok(Math.abs(got[at]! - value) < 1e-9);
});

test('what requests share is read once', async () => {
  const { model, tokenizer } = opened;
  const scorer = createLanguageModelScorer({ model, tokenizer, identity: IDENTITY });
  const context = [50256, 10, 11, 12];
  const requests = [[20, 21], [20, 22, 23], [24]].map((continuation) => ({ context, continuation }));
  await scorer.score(requests, { signal: new AbortController().signal, onScored: async () => {} });
  // 5, 6 and 4 tokens are read for them alone; together the context, then 20, then 22.
  assert.deepEqual(scorer.work, { requested: 15, read: 6 });
  const alone = createLanguageModelScorer({ model, tokenizer, identity: IDENTITY, sharesPrefixes: false });
  await alone.score(requests, { signal: new AbortController().signal, onScored: async () => {} });
  assert.deepEqual(alone.work, { requested: 15, read: 15 });
});
