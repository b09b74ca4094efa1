import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '@gptj-cloud/pickle';
import { createParameterReader } from '../../generation/parameter-parser.ts';
import { byteTokenizer, createFakeEngine } from '../../testing/fake-model.ts';
import { parseCompletionRequest } from './completion-request.ts';

/** A model that counts the readings of parameters, of patterns and of texts in parameters. */
function countingModel() {
  const { info } = createFakeEngine();
  const counts = { readings: 0, patterns: 0, texts: 0 };
  const encode: typeof byteTokenizer.encode = (text, options) => {
    if (text.includes('word')) counts.texts++;
    return byteTokenizer.encode(text, options);
  };
  const tokenizer = { ...byteTokenizer, encode };
  const read = createParameterReader(info, tokenizer, { checkPattern: () => void counts.patterns++ });
  const readParameters: typeof read = (fields, options) => {
    counts.readings++;
    return read(fields, options);
  };
  return { counts, model: { info, tokenizer, readParameters } };
}

const fields = (body: Readonly<Record<string, JsonValue>>) => new Map(Object.entries(body));

test('the parameters of 1,024 prompts are read once, patterns and texts among them', () => {
  const { counts, model } = countingModel();
  const prompt = Array.from({ length: 1024 }, (_, index) => new Array((index % 50) + 1).fill(7));
  const { prompts } = parseCompletionRequest(
    model,
    fields({
      prompt,
      max_tokens: 9,
      logit_bias: Object.fromEntries(Array.from({ length: 4000 }, (_, id) => [String(id), 1])),
      bad_words: ['word'],
      prefix_allowed_tokens_fn: { regex: '(?:(?:(?:){0,1000}){0,1000}){0,4}a' },
    }),
  );
  // A bad word is encoded as written and after a space.
  assert.deepEqual(counts, { readings: 1, patterns: 1, texts: 2 });
  assert.equal(prompts.length, 1024);
  for (const [index, { prompt: ids, config }] of prompts.entries()) {
    assert.equal(config.maxLength, ids.length + 9);
    assert.equal(config, prompts[index % 50]?.config, 'prompts of one length share a configuration');
    assert.equal(config.sequenceBias, prompts[0]?.config.sequenceBias, 'all prompts share the lists');
  }
});

test('a parameter that one prompt of several has no room for is refused by name', () => {
  const { model } = countingModel();
  const parse = () =>
    parseCompletionRequest(model, fields({ prompt: [[1], new Array(2040).fill(1)], max_tokens: 100 }));
  assert.throws(parse, /max_tokens: .* the prompt has 2040, so at most 8 new tokens are possible/);
});
