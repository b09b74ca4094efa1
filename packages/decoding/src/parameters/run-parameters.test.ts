import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParameterError } from '../parameter-error.ts';
import { toyContext } from '../testing/toy-scorer.ts';
import { describeParameters } from './describe-parameters.ts';
import { PARAMETER_GROUP_TITLES } from './parameter-groups.ts';
import { knownParameters } from './parameter-table.ts';
import { readGenerateParameters } from './parse-generate-parameters.ts';
import { contextExceeded, describeRunParameters, fitsContext, parseRunParameters } from './run-parameters.ts';
import { selectingParameters } from './selecting-parameters.ts';

const PROMPT_LENGTH = 3;
const OWN = ['response_length', 'include_input', 'remove_input', 'penalty', 'trim_stop'];

const parse = (given: Readonly<Record<string, unknown>>) =>
  parseRunParameters(new Map(Object.entries(given)), PROMPT_LENGTH, (fields, options) =>
    readGenerateParameters(fields, { ...toyContext(PROMPT_LENGTH), ...options }),
  );

test('the catalogue of each version has every name that a request may use, with its group and a sentence', () => {
  for (const era of ['5.18', '4.25'] as const) {
    const catalogue = describeRunParameters(era);
    const usable = catalogue.filter(({ effect, name }) => effect !== 'refused' || knownParameters(era).has(name));
    assert.deepEqual(
      usable.map(({ name }) => name).sort(),
      [...OWN, ...knownParameters(era)].sort(),
      `catalogue of ${era}`,
    );
    for (const { name, help, group, versions } of catalogue) {
      assert.match(help, /^[A-Z'].*\.$/, name);
      assert.ok(PARAMETER_GROUP_TITLES[group].length > 0, name);
      assert.ok(versions.includes(era), name);
    }
  }
  assert.ok(!describeRunParameters('4.25').some(({ name }) => name === 'min_p'));
  assert.ok(describeRunParameters('4.25').some(({ name }) => name === 'forced_decoder_ids'));
});

test('defaults are those of the version', () => {
  const fallback = (era: '5.18' | '4.25', wanted: string) =>
    describeRunParameters(era).find(({ name }) => name === wanted)?.default;
  assert.deepEqual([fallback('5.18', 'max_length'), fallback('4.25', 'max_length')], [undefined, 20]);
  assert.deepEqual(fallback('4.25', 'max_new_tokens'), undefined);
  assert.match(String(fallback('5.18', 'max_new_tokens')), /^20/);
  assert.deepEqual(
    describeParameters().find(({ name }) => name === 'max_length')?.default,
    fallback('5.18', 'max_length'),
  );
});

test('a run samples unless it names beams or a mode that excludes sampling', () => {
  assert.equal(parse({}).config.mode, 'sample');
  assert.equal(parse({ num_beams: 1 }).config.mode, 'greedy');
  assert.equal(parse({ num_beams: 2 }).config.mode, 'beam');
  assert.equal(parse({ penalty_alpha: 0.6 }).config.mode, 'contrastive');
  assert.equal(parse({ do_sample: false }).config.mode, 'greedy');
  assert.deepEqual(parse({ temperature: 2 }).warnings, []);
  assert.deepEqual(parse({ temperature: 2, do_sample: false }).warnings, [
    'temperature is ignored: it acts only with do_sample',
  ]);
});

test("reads the pipeline's own parameters and keeps them from generate", () => {
  const { config, includesInput, trimsStop } = parse({
    response_length: 5,
    penalty: 1.5,
    remove_input: false,
    trim_stop: true,
  });
  const length = PROMPT_LENGTH + 5;
  assert.deepEqual(
    [config.maxLength, config.minLength, config.repetitionPenalty, includesInput, trimsStop],
    [length, length, 1.5, true, true],
  );
  for (const [given, expected] of [
    [{ response_length: 1.5 }, /response_length: expected an integer of at least 0, got 1.5/],
    [{ trim_stop: 1 }, /trim_stop: expected true or false, got 1/],
    [{ response_lenght: 1 }, /did you mean response_length\?/],
    [{ attention_mask: [1] }, /Sorry, attention_mask/],
  ] as const) {
    assert.throws(
      () => parse(given),
      (error) => error instanceof ParameterError && expected.test(error.message),
    );
  }
});

test('a length that does not fit the context beside the prompt is found before parameters are read', () => {
  const fits = (given: Readonly<Record<string, unknown>>, prompt = 3) =>
    fitsContext(new Map(Object.entries(given)), prompt, 8);
  assert.deepEqual([fits({ response_length: 5 }), fits({ response_length: 6 })], [true, false]);
  assert.deepEqual([fits({ max_length: 6 }), fits({}, 7), fits({}, 8)], [false, true, false]);
  assert.match(contextExceeded(8), /limited to 8 tokens/);
});

test('names the parameters that selected the mode', () => {
  const because = (given: Readonly<Record<string, unknown>>) =>
    selectingParameters(parse(given).config.mode, new Map(Object.entries(given)));
  assert.deepEqual(because({}), []);
  assert.deepEqual(because({ do_sample: true, temperature: 2 }), ['do_sample']);
  assert.deepEqual(because({ num_beams: 3, length_penalty: 2 }), ['num_beams']);
  assert.deepEqual(because({ penalty_alpha: 0.5, top_k: 4 }), ['penalty_alpha', 'top_k']);
});
