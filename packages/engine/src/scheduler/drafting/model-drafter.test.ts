import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { LanguageModel, SequenceId, TokenId } from '@gptj-cloud/model';
import { openModel } from '../../open-model.ts';
import { makeTinyModel, type TinyModelFile } from '../../tiny-model.fixture.ts';
import type { DraftTask } from './drafter.ts';
import { ModelDrafter } from './model-drafter.ts';

const CELLS = 96;
let file: TinyModelFile;
let model: LanguageModel;
let drafter: ModelDrafter;
let now = 0;
/** Tokens of each sequence of the draft model, and of each evaluation. */
let contents: Map<SequenceId, TokenId[]>;
let evaluated: number[];
let failures: string[];

before(async () => {
  file = await makeTinyModel(64);
  model = (await openModel({ path: file.path, kind: 'reference', cacheCells: CELLS })).model;
});
after(async () => {
  await model.close();
  await file.remove();
});
beforeEach(() => {
  contents = new Map();
  evaluated = [];
  failures = [];
  drafter = new ModelDrafter({
    model,
    async evaluate(steps) {
      for (const { sequence, tokens } of steps) {
        const before = (contents.get(sequence) ?? []).slice(0, model.length(sequence));
        contents.set(sequence, [...before, ...tokens]);
      }
      const count = steps.reduce((sum, { tokens }) => sum + tokens.length, 0);
      evaluated.push(count);
      now += count;
      return await model.evaluate(steps);
    },
    now: () => now,
    onFailure: (reason) => failures.push(reason),
  });
});
afterEach(() => {
  drafter.close();
  assert.deepEqual(failures, []);
  assert.equal(model.freeCells, CELLS, 'cells were lost');
});

/** A task whose draft tokens are chosen by `choose`: by default each is one more than the last. */
function task(
  key: object,
  sequence: readonly TokenId[],
  choose: (draft: readonly TokenId[]) => TokenId | null = (draft) => ((draft.at(-1) ?? sequence.at(-1)!) + 1) % 384,
): DraftTask {
  return { key, drafting: { sequence, maxTokens: 15, remaining: 40, guess: (_, draft) => choose(draft) } };
}

async function draft(tasks: readonly DraftTask[], length = 4, maxMs = 1000): Promise<readonly (readonly TokenId[])[]> {
  const orders = drafter.offers(tasks).flatMap((offer) => (offer === null ? [] : [{ offer, length }]));
  return await drafter.draft(orders, maxMs);
}

const text = (length: number, salt = 0): TokenId[] => Array.from({ length }, (_, i) => (i * 7 + salt) % 380);

test('evaluates what it has not seen, then one draft token at a time', async () => {
  const key = {};
  assert.deepEqual(await draft([task(key, [5, 6, 7])]), [[8, 9, 10, 11]]);
  assert.deepEqual(evaluated, [3, 1, 1, 1]);
  // All agreed, and the model chose 12.
  assert.deepEqual(await draft([task(key, [5, 6, 7, 8, 9, 10, 11, 12])]), [[13, 14, 15, 16]]);
  assert.deepEqual(evaluated, [3, 1, 1, 1, 2, 1, 1, 1]);
  // The first two agreed, then the model chose 99.
  assert.deepEqual(await draft([task(key, [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 99])], 2), [[100, 101]]);
  assert.deepEqual(evaluated.slice(8), [1, 1]);
  assert.deepEqual([...contents.values()], [[5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 99, 100]]);
});

test('drafts of several generations are evaluated together, and end one by one', async () => {
  const tasks = [task({}, [1, 2]), task({}, [10], (draft) => (draft.length === 1 ? null : 77)), task({}, [20])];
  assert.deepEqual(await draft(tasks, 3), [[3, 4, 5], [77], [21, 22, 23]]);
  assert.deepEqual(evaluated, [4, 3, 2]);
});

test('a long text is evaluated in parts before anything is drafted, the short ones first', async () => {
  const [long, short] = [task({}, text(60)), task({}, [4])];
  now = 0;
  // A token takes 1 ms here, which is known after the first part.
  await draft([task({}, text(20, 3))], 1);
  evaluated.length = 0;
  assert.deepEqual(await draft([long, short], 2, 30), [[], [5, 6]]);
  assert.deepEqual(evaluated, [30, 1]);
  assert.deepEqual(await draft([long], 2, 30), [[]]);
  const [drafted] = await draft([long], 2, 30);
  assert.equal(drafted?.length, 2);
  assert.deepEqual(evaluated, [30, 1, 30, 1, 1]);
});

test('never goes past the context of the draft model', async () => {
  const key = {};
  const [offer] = drafter.offers([task(key, text(62))]);
  assert.equal(offer?.maxTokens, 3);
  assert.equal((await drafter.draft([{ offer: offer!, length: 3 }], 1000))[0]?.length, 3);
  assert.deepEqual(drafter.offers([task(key, text(65))]), [null]);
});

test('gives the cells of the least recently used texts to others', async () => {
  const keys = [{}, {}, {}];
  for (const [i, key] of keys.entries()) await draft([task(key, text(40, i))], 1);
  assert.ok(model.freeCells < 56);
  evaluated.length = 0;
  // The third is known, the first is evaluated again.
  await draft([task(keys[2]!, [...text(40, 2), 9])], 1);
  await draft([task(keys[0]!, [...text(40, 0), 9])], 1);
  assert.deepEqual(evaluated, [1, 41]);
});

test('drafts for as many generations as fit, and for none whose text does not', async () => {
  const drafts = await draft([task({}, text(30)), task({}, text(31, 1)), task({}, text(60, 2))], 2);
  assert.deepEqual(
    drafts.map(({ length }) => length),
    [2, 2, 0],
  );
});

test('a later generation starts from the prefix that it shares with an ended one', async () => {
  const key = {};
  await draft([task(key, text(30))], 1);
  drafter.forget(key);
  evaluated.length = 0;
  await draft([task({}, [...text(30), 5])], 1);
  assert.deepEqual(evaluated, [1]);
});

test('a failure ends the drafting, frees the cells and is reported once', async () => {
  const broken = new ModelDrafter({
    model,
    evaluate: async () => {
      throw new Error('broken');
    },
    now: () => now,
    onFailure: (reason) => failures.push(reason),
  });
  const [offer] = broken.offers([task({}, [1, 2])]);
  assert.deepEqual(await broken.draft([{ offer: offer!, length: 3 }], 100), [[]]);
  assert.deepEqual(broken.offers([task({}, [1, 2])]), [null]);
  assert.deepEqual(failures.splice(0), ['broken']);
});
