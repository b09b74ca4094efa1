import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byteTokenizer, createFakeEngine } from '../testing/fake-model.ts';
import { adapterOf, namedModel, type TextModel } from './text-model.ts';

function model(modelName: string, others: readonly TextModel[] = [], adapters: readonly string[] = []): TextModel {
  const info = { ...createFakeEngine().info, modelName, adapters };
  return { info, tokenizer: byteTokenizer, readParameters: () => assert.fail(), others };
}

test('a model answers to its name in any case, and to its name without the organisation', () => {
  const served = model('me/gptj-nano', [], ['talk']);
  for (const name of ['me/gptj-nano', 'ME/GPTJ-nano', 'gptj-nano', 'gpt-j-6b']) {
    assert.equal(namedModel(served, name), served);
  }
  assert.equal(adapterOf(served, 'gptj-nano:talk'), 'talk');
  for (const name of ['nano', 'me', 'me/', '/gptj-nano', 'you/gptj-nano', 'gptj-nano:tolk']) {
    assert.throws(() => namedModel(served, name), { code: 'model_unknown' });
  }
});

test('a name without organisation that two models have is refused, and comes before an alias of the first model', () => {
  const [a, b, j] = [model('a/story'), model('b/story'), model('EleutherAI/gpt-j-6b')];
  const served = model('me/first', [a, b, j]);
  assert.throws(() => namedModel(served, 'story'), { code: 'model_unknown' });
  assert.equal(namedModel(served, 'b/story'), b);
  assert.equal(namedModel(served, 'gpt-j-6b'), j);
});
