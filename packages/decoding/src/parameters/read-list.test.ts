// The cost of refusing and of reading lists, counted in the entries that a reader looks at.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParameterError } from '../parameter-error.ts';
import { LIMITS, type ModelContext } from './parameter-context.ts';
import { parseGenerateParameters, readGenerateParameters } from './parse-generate-parameters.ts';
import { showValue } from './show-value.ts';

const CONTEXT: ModelContext = { vocabSize: 50400, contextLength: 2048, eosTokenId: 50256 };

/** An array whose entries count how often one is read. */
function countedList(length: number, entry: (index: number) => unknown): { list: unknown[]; reads: () => number } {
  let reads = 0;
  const list = new Proxy(
    Array.from({ length }, (_, index) => entry(index)),
    {
      get(target, key, receiver) {
        if (typeof key === 'string' && /^\d+$/.test(key)) reads++;
        return Reflect.get(target, key, receiver);
      },
    },
  );
  return { list, reads: () => reads };
}

function refusal(params: unknown): ParameterError {
  try {
    readGenerateParameters(params, CONTEXT)(1);
  } catch (error) {
    assert.ok(error instanceof ParameterError, String(error));
    return error;
  }
  return assert.fail('expected a refusal');
}

test('the alternatives of a constraint are compared in linear time, and a prefix is found wherever it stands', () => {
  const alternatives = Array.from({ length: 64 }, (_, index) => [1, 2, 3, 100 + index]);
  const constraint = (nested: readonly (readonly number[])[]) => ({
    num_beams: 2,
    constraints: [{ type: 'disjunctive', nested_token_ids: nested }],
  });
  assert.doesNotThrow(() => readGenerateParameters(constraint(alternatives), CONTEXT));
  for (const nested of [
    [[1, 2], [3], [1, 2, 4]],
    [[1, 2, 4], [3], [1, 2]],
    [[5], [5]],
  ]) {
    assert.match(refusal(constraint(nested)).message, /none begins with another, got \[/);
  }
  // 4,096 alternatives of 240 ids were compared in pairs before their total was looked at.
  const { list, reads } = countedList(4096, (index) => [...new Array(239).fill(5), index]);
  const error = refusal(constraint(list as readonly (readonly number[])[]));
  assert.deepEqual([error.code, error.parameters], ['limit_exceeded', ['constraints']]);
  assert.ok(reads() <= 2 * 4096, `${reads()} reads`);
});

test('a list is measured before it is read, whatever parameter holds it', () => {
  const ids = () => countedList(LIMITS.requestValues + 1, () => 1);
  for (const form of [
    (list: unknown) => ({ suppress_tokens: list }),
    (list: unknown) => ({ bad_words_ids: [list] }),
    (list: unknown) => ({
      generation_config: { stopping_criteria: [{ type: 'stop_token_sequences', sequences: [list] }] },
    }),
    (list: unknown) => ({ logits_processor: [{ type: 'sequence_bias', value: [[list, 1]] }] }),
    (list: unknown) => ({ temperature: list }),
  ]) {
    const { list, reads } = ids();
    assert.equal(refusal(form(list)).code, 'limit_exceeded');
    assert.equal(reads(), 0);
  }
});

test('lists of several parameters count together', () => {
  const words = () => Array.from({ length: 1024 }, () => new Array(200).fill(1));
  assert.doesNotThrow(() => parseGenerateParameters({ bad_words_ids: words() }, { ...CONTEXT, promptLength: 1 }));
  const error = refusal({
    bad_words_ids: words(),
    sequence_bias: words().map((word) => [word, 1]),
    prefix_allowed_tokens_fn: { allowed_sequences: words() },
  });
  assert.equal(error.code, 'limit_exceeded');
  assert.match(error.message, /prefix_allowed_tokens_fn: .* over all parameters/);
});

test('text is counted over all parameters, and refused before it is encoded', () => {
  let encoded = 0;
  const context = {
    ...CONTEXT,
    encodeText: (text: string) => {
      encoded += text.length;
      return [1];
    },
  };
  const text = 'x'.repeat(1000);
  const parse = (count: number) => readGenerateParameters({ bad_words: new Array(count).fill(text) }, context);
  assert.doesNotThrow(() => parse(100));
  encoded = 0;
  assert.throws(() => parse(2000), /bad_words: expected at most 1048576 characters of text/);
  assert.equal(encoded, 0);
});

test('an object of 400,000 unknown names is refused by its size; of fewer, twenty are named', () => {
  const named = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`name_${index}`, 1]));
  assert.match(refusal(named(400_000)).message, /^parameters: expected at most 256 fields, got 400000$/);
  assert.match(refusal({ generation_config: named(400_000) }).message, /^generation_config: expected at most 256/);
  const error = refusal(named(200));
  assert.deepEqual([error.code, error.parameters.length], ['unknown_parameter', 20]);
  assert.match(error.message, / and 180 more$/);
});

test('an error reads no more of a value than it shows', () => {
  const { list, reads } = countedList(100_000, () => 'abc');
  assert.equal(showValue(list).length, 80);
  assert.ok(reads() < 40, `${reads()} reads`);
  for (const value of [null, 1.5, Number.NaN, 'a"b', [1, 'x', { a: [null] }], {}, [], true]) {
    assert.equal(showValue(value), JSON.stringify(value) === 'null' ? String(value) : JSON.stringify(value));
  }
  assert.equal(showValue(undefined), 'undefined');
});

test('parameters are read once for prompts of any length, with the same result as for each alone', () => {
  let encoded = 0;
  const context = {
    ...CONTEXT,
    encodeText: (text: string) => {
      encoded++;
      return [text.length];
    },
    defaults: { max_new_tokens: 30 },
  };
  const cases: readonly Record<string, unknown>[] = [
    {},
    { max_length: 500, min_new_tokens: 4, forced_eos_token_id: 7 },
    { compat: '4.25', max_length: 12, min_length: 3 },
    { guidance_scale: 2, negative_prompt_ids: new Array(2030).fill(1) },
    { bad_words: ['a', 'b'], stop_strings: 'x', logits_processor: [{ type: 'min_length', value: 9 }] },
    {
      logits_processor: [
        { type: 'forced_eos_token_id', value: [7, 8] },
        { type: 'top_k', value: 3 },
      ],
    },
    { max_new_tokens: 0, prompt_logprobs: 1 },
  ];
  for (const params of cases) {
    const forPrompt = readGenerateParameters(params, context);
    const before = encoded;
    const results = [1, 10, 400].map((promptLength) => forPrompt(promptLength));
    assert.equal(encoded, before);
    for (const [index, promptLength] of [1, 10, 400].entries()) {
      assert.deepEqual(results[index], parseGenerateParameters(params, { ...context, promptLength }));
    }
    // Lists are shared, not copied, between the configurations of one request.
    assert.equal(results[0]?.config.badWordsIds, results[2]?.config.badWordsIds);
  }
  assert.equal(readGenerateParameters({ forced_eos_token_id: 7 }, context)(2000).config.forcedEos?.atLength, 2029);
  assert.throws(() => readGenerateParameters({ max_new_tokens: 100 }, context)(2000), /at most 48 new tokens/);
});

test('a pattern is checked once a request, by the check of the caller', () => {
  const checked: string[] = [];
  const context = { ...CONTEXT, checkPattern: (pattern: string) => void checked.push(pattern) };
  const forPrompt = readGenerateParameters({ prefix_allowed_tokens_fn: { regex: 'a+' } }, context);
  for (let length = 1; length < 50; length++) forPrompt(length);
  assert.deepEqual(checked, ['a+']);
});
