// Greedy answers: the tokens of one evaluation after the other, up to a text that ends the answer.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type OpenModel, openModel } from '@gptj-cloud/engine';
import {
  createEvalModel,
  createLanguageModelScorer,
  evaluateTask,
  Journal,
  readOwnTask,
  type TokenScorer,
} from '@gptj-cloud/evals';

const MODEL = fileURLToPath(new URL('../../../models/gptj-nano/gptj-nano-q8_0.gguf', import.meta.url));
const IDENTITY = { adapter: 'engine', model: 'nano', weights: '', type: null, engine: null } as const;
const CONTEXT = 'Once upon a time there was a';

let opened: OpenModel;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-generate-'));
  opened = await openModel({ path: MODEL, cacheCells: 4096 });
});
after(async () => {
  await opened.close();
  await rm(folder, { recursive: true });
});

const call = { signal: new AbortController().signal, onProgress: () => {} };

function evalModel(scorer: TokenScorer, journal: Journal | null = null) {
  return createEvalModel({ scorer, tokenizer: opened.tokenizer, prefixToken: 50256, form: 'harness', journal });
}

function scorerOf(): TokenScorer {
  return createLanguageModelScorer({ model: opened.model, tokenizer: opened.tokenizer, identity: IDENTITY });
}

/** The argmax of an evaluation of all tokens so far, one at a time. */
async function greedyText(count: number): Promise<string> {
  const { model, tokenizer } = opened;
  const context = tokenizer.encode(CONTEXT);
  const written: number[] = [];
  while (written.length < count) {
    const sequence = model.open();
    const [result] = await model.evaluate([{ sequence, tokens: [...context, ...written], scored: 'last' }]);
    const logits = Array.from(result!.logits[0]!);
    written.push(logits.indexOf(Math.max(...logits)));
    model.release(sequence);
  }
  return tokenizer.decode(written);
}

test('the answer is the greedy continuation, as long as asked or up to the first of the end texts', async () => {
  const expected = await greedyText(24);
  const model = evalModel(scorerOf());
  const generate = async (until: readonly string[], maxTokens = 24) =>
    (await model.generateUntil([{ context: CONTEXT, until, maxTokens }], call))[0];
  assert.equal(await generate(['\u0000']), expected);
  assert.equal(await generate(['\u0000'], 5), await greedyText(5));
  const [first, second] = [expected.slice(8, 11), expected.slice(14, 17)];
  assert.equal(await generate([second, first]), expected.slice(0, expected.indexOf(first)));
  assert.equal(await generate([expected.slice(0, 3)]), '');
  assert.equal(opened.model.freeCells, opened.model.limits.cacheCells, 'every sequence is released');
});

test('an answer of the journal is not generated again, and another end is another answer', async () => {
  const journal = await Journal.open(join(folder, 'journal.jsonl'));
  let generated = 0;
  const scorer = scorerOf();
  const counting: TokenScorer = {
    ...scorer,
    generateUntil(...args) {
      generated++;
      return scorer.generateUntil(...args);
    },
  };
  const request = { context: CONTEXT, until: ['\n'], maxTokens: 6 };
  const texts = await evalModel(counting, journal).generateUntil([request, request], call);
  assert.deepEqual(texts, await evalModel(counting, journal).generateUntil([request, request], call));
  assert.equal(generated, 1);
  await evalModel(counting, journal).generateUntil([{ ...request, until: ['.'] }], call);
  assert.equal(generated, 2);
  await journal.close();
});

test('exact_match counts the documents whose answer is the target, white space at its ends aside', async () => {
  const expected = await greedyText(6);
  const end = expected.slice(-3);
  const answer = expected.slice(0, expected.indexOf(end));
  const lines = [
    { prompt: CONTEXT, target: ` ${answer.trim()}\n`, until: [end] },
    { prompt: CONTEXT, target: `${answer} not`, until: [end] },
  ];
  const { task, documents } = readOwnTask(lines.map((line) => JSON.stringify(line)).join('\n'), 'own.jsonl');
  const evaluation = await evaluateTask({ model: evalModel(scorerOf()), task, documents });
  assert.deepEqual(
    evaluation.documents.map(({ items }) => items.exact_match),
    [1, 0],
  );
  assert.deepEqual(evaluation.metrics, [{ metric: 'exact_match', value: 0.5, standardError: 0.5 }]);
});
