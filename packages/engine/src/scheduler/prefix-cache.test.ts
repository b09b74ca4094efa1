import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { LanguageModel, SequenceId } from '@gptj-cloud/model';
import { openModel } from '../open-model.ts';
import { makeTinyModel, type TinyModelFile } from '../tiny-model.fixture.ts';
import { PrefixCache } from './prefix-cache.ts';

let file: TinyModelFile;
let model: LanguageModel;
let cache: PrefixCache;

before(async () => {
  file = await makeTinyModel(64);
  model = (await openModel({ path: file.path, kind: 'reference', cacheCells: 128 })).model;
});
afterEach(() => {
  cache.clear();
  assert.equal(model.freeCells, 128);
});
after(async () => {
  await model.close();
  await file.remove();
});

const tokens = (count: number, first = 0): number[] => Array.from({ length: count }, (_, i) => first + i);

/** Compute a sequence, cache it, release it. */
async function store(list: readonly number[]): Promise<void> {
  const sequence = model.open();
  await model.evaluate([{ sequence, tokens: list, scored: 'none' }]);
  cache.put(list, sequence);
  model.release(sequence);
}

/** Length of the prefix that the cache returns. */
const taken = (list: readonly number[], max = list.length): number => {
  const prefix = cache.take(list, max);
  if (prefix === null) return 0;
  assert.equal(model.length(prefix.sequence), prefix.length);
  model.release(prefix.sequence as SequenceId);
  return prefix.length;
};

test('returns the shared prefix of a cached sequence, up to the maximum length', async () => {
  cache = new PrefixCache(model, { maxEntries: 4 });
  await store(tokens(40));
  assert.equal(taken(tokens(50)), 40);
  assert.equal(taken([...tokens(30), 99, 98]), 30);
  assert.equal(taken(tokens(40), 39), 39);
  assert.equal(taken([...tokens(10), 99, 98]), 0, 'too short to be worth it');
  assert.equal(cache.match(tokens(50)), 40);
});

test('replaces an entry by one that continues it, and adds no entry for a shorter one', async () => {
  cache = new PrefixCache(model, { maxEntries: 4 });
  await store(tokens(20));
  await store(tokens(40));
  await store(tokens(30));
  assert.equal(cache.entries, 1);
  assert.equal(model.freeCells, 128 - 40);
});

test('evicts the least recently used entry for a new one and to free cells', async () => {
  cache = new PrefixCache(model, { maxEntries: 2 });
  await store(tokens(20));
  await store(tokens(20, 100));
  taken(tokens(20));
  await store(tokens(20, 200));
  assert.deepEqual([taken(tokens(20)), taken(tokens(20, 100)), taken(tokens(20, 200))], [20, 0, 20]);
  cache.makeRoom(100);
  assert.deepEqual([taken(tokens(20)), taken(tokens(20, 200))], [0, 20]);
});

test('gives a prefix only to sequences with the adapters that it was computed with', async () => {
  cache = new PrefixCache(model, { maxEntries: 3 });
  await store(tokens(20));
  const sequence = model.open();
  await model.evaluate([{ sequence, tokens: tokens(30), scored: 'none' }]);
  cache.put(tokens(30), sequence, 'a=1');
  model.release(sequence);
  const matches = (): readonly number[] => ['', 'a=1', 'a=0.5'].map((adapters) => cache.match(tokens(40), adapters));
  assert.deepEqual(matches(), [20, 30, 0]);
  assert.equal(cache.take(tokens(40), 40, 'a=0.5'), null);
  taken(tokens(20));
  cache.makeRoom(128 - 20);
  assert.deepEqual(matches(), [20, 0, 0]);
});

test('the labels of a prompt are reported for the blocks that an entry has, and stay with a longer one', async () => {
  cache = new PrefixCache(model, { maxEntries: 2 });
  const prompt = tokens(40).concat(tokens(30));
  const sequence = model.open();
  // The cells do not matter here, only the tokens that the cache was given.
  await model.evaluate([{ sequence, tokens: tokens(20), scored: 'none' }]);
  // Of a row that leaves the prompt before the first block ends.
  cache.put([...prompt.slice(0, 63), 99], sequence, '', { prompt, labels: ['one', 'two'] });
  assert.deepEqual(cache.labels, []);
  cache.clear();
  cache.put(prompt.slice(0, 66), sequence, '', { prompt: prompt.slice(0, 66), labels: ['one', 'two'] });
  assert.deepEqual(cache.labels, ['one']);
  cache.put(prompt.slice(0, 66), sequence, '', { prompt, labels: ['of another tenant'] });
  cache.put(prompt, sequence, '');
  assert.equal(cache.entries, 1);
  assert.deepEqual(cache.labels, ['one', 'of another tenant']);
  model.release(sequence);
  cache.clear();
  assert.deepEqual(cache.labels, []);
});
