import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { knownParameters } from '@gptj-cloud/decoding';
import { catalogueOf, searchParameters, sectionsOf } from './catalogue.ts';
import { checkParameters, idleReason } from './check-parameters.ts';
import {
  defaultText,
  rangeText,
  readText,
  renamed,
  switchCompat,
  textOfValue,
  withParameter,
} from './edit-parameters.ts';

const MODEL = { contextLength: 2048, vocabSize: 50_400 };
const check = (parameters: Readonly<Record<string, unknown>>, promptTokens = 4) =>
  checkParameters(parameters, MODEL, promptTokens);
const find = (compat: '5.18' | '4.25', wanted: string) =>
  catalogueOf(compat).find(({ name }) => name === wanted) ?? assert.fail(`no parameter ${wanted}`);

test('every name that a request of a version may use has a row, or a control of its own', () => {
  for (const compat of ['5.18', '4.25'] as const) {
    const rows = new Set(sectionsOf(compat).flatMap(({ parameters }) => parameters.map(({ name }) => name)));
    for (const name of knownParameters(compat)) {
      assert.ok(rows.has(name) || ['compat', 'generation_config'].includes(name), `${name} of ${compat}`);
    }
    for (const name of ['response_length', 'trim_stop', 'penalty']) assert.ok(rows.has(name), name);
  }
});

test('a search finds parameters by name, by meaning, and by related words', () => {
  const found = (query: string) => searchParameters(catalogueOf('5.18'), query).map(({ name }) => name);
  const repeat = found('repeat');
  for (const name of [
    'repetition_penalty',
    'no_repeat_ngram_size',
    'encoder_repetition_penalty',
    'encoder_no_repeat_ngram_size',
  ]) {
    assert.ok(repeat.includes(name), name);
  }
  assert.equal(found('top_p')[0], 'top_p');
  assert.equal(found('top-p')[0], 'top_p');
  assert.ok(found('greedy sampling').every((name) => found('sampling').includes(name)));
  assert.ok(found('randomness').includes('temperature'));
  assert.ok(found('probabilities').includes('logprobs'));
  assert.deepEqual(found('qqqq'), []);
  assert.equal(found(' ').length, catalogueOf('5.18').length);
});

test('says which settings selected the mode, and what has no effect in it', () => {
  assert.deepEqual(
    [check({}).mode, check({}).because, check({ do_sample: true }).because],
    ['sample', [], ['do_sample']],
  );
  const greedy = check({ top_p: 0.9, do_sample: false });
  assert.equal(greedy.mode, 'greedy');
  assert.equal(greedy.warnings.get('top_p'), 'top_p is ignored: it acts only with do_sample');
  assert.equal(idleReason(find('5.18', 'temperature'), greedy), 'temperature is ignored: it acts only with do_sample');
  assert.equal(idleReason(find('5.18', 'temperature'), check({})), null);
  assert.match(idleReason(find('5.18', 'length_penalty'), check({})) ?? '', /num_beams above 1/);
  assert.equal(idleReason(find('5.18', 'length_penalty'), check({ num_beams: 2 })), null);
  assert.equal(idleReason(find('5.18', 'top_k'), check({ penalty_alpha: 0.5 })), null);
});

test('refuses what the server refuses, with its sentence and the nearest name', () => {
  const slip = check({ temprature: 0.5 });
  assert.equal(slip.mode, null);
  assert.match(slip.refusal?.message ?? '', /did you mean temperature\?/);
  assert.deepEqual(slip.refusal?.corrections, [{ name: 'temprature', meant: 'temperature' }]);
  assert.deepEqual(renamed({ a: 1, temprature: 0.5 }, 'temprature', 'temperature'), { a: 1, temperature: 0.5 });
  assert.deepEqual(check({ temperature: -1 }).refusal?.names, ['temperature']);
  assert.match(check({ response_length: 2048 }).refusal?.message ?? '', /limited to 2048 tokens/);
  assert.equal(check({ bad_words: ['one', 'two words'] }).refusal, null);
});

/** Values of the validation goldens, which transformers itself refuses or accepts: the form must not fail on any of them. */
test('checks all parameters of the validation goldens without an error of its own', () => {
  const file = new URL('../../../../../test/goldens/errors.json', import.meta.url);
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as {
    cases: readonly { readonly params?: Record<string, unknown>; readonly parameters?: Record<string, unknown> }[];
  };
  assert.ok(cases.length > 200, `${cases.length}`);
  for (const { params, parameters } of cases) {
    const { mode, refusal } = check(params ?? parameters ?? {});
    assert.notEqual(mode === null, refusal === null);
  }
});

test('reads the texts of fields as values, and writes values as texts', () => {
  const number = find('5.18', 'temperature');
  assert.deepEqual(readText(number, ' 0,8 '), { value: 0.8, error: null });
  assert.deepEqual(readText(number, ''), { value: undefined, error: null });
  assert.match(readText(number, 'warm').error ?? '', /number/);
  const stop = find('5.18', 'stop_strings');
  for (const [text, value] of [
    ['The end', 'The end'],
    ['["a","b"]', ['a', 'b']],
    ['"["', '['],
  ] as const) {
    assert.deepEqual(readText(stop, text), { value, error: null });
    assert.equal(textOfValue(stop, value), text);
  }
  assert.match(readText(stop, '["a"').error ?? '', /expected JSON, like/);
  assert.deepEqual(readText(find('5.18', 'bad_words_ids'), '[[1]]'), { value: [[1]], error: null });
});

test('removes a parameter to its default, and leaves out what another version does not have', () => {
  assert.deepEqual(withParameter({ a: 1, b: 2 }, 'a', undefined), { b: 2 });
  assert.deepEqual(withParameter({ a: 1 }, 'a', false), { a: false });
  assert.deepEqual(switchCompat({ min_p: 0.1, top_k: 5 }, '4.25'), {
    parameters: { top_k: 5, compat: '4.25' },
    lost: ['min_p'],
  });
  assert.deepEqual(switchCompat({ top_k: 5, compat: '4.25' }, '5.18'), { parameters: { top_k: 5 }, lost: [] });
  assert.equal(defaultText(find('4.25', 'max_length')), '20');
  assert.equal(rangeText(find('5.18', 'min_p')), '0 to 1');
  assert.equal(rangeText(find('5.18', 'temperature')), 'above 0');
});
