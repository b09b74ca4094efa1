import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeParameters, describeRunParameters } from '@gptj-cloud/decoding';
import { GENERATE_PARAMETERS, RUN_PARAMETERS } from './generate-parameters.ts';
import { parseOptions } from './options.ts';

const SPECS = [
  ...GENERATE_PARAMETERS.groups.flatMap((group) => group.options),
  { name: 'model', value: 'FILE', summary: '' },
];

function parameters(...args: string[]): Readonly<Record<string, unknown>> {
  return GENERATE_PARAMETERS.read(parseOptions(SPECS, args));
}

test('passes parameters under their wire names, parsed as JSON if valid', () => {
  assert.deepEqual(
    parameters('--model', 'x', '-n', '64', '--temperature', '0.7', '--do-sample', '--no-renormalize-logits'),
    {
      max_new_tokens: 64,
      temperature: 0.7,
      do_sample: true,
      renormalize_logits: false,
    },
  );
  assert.deepEqual(parameters('--bad-words-ids', '[[1, 2], [3]]', '--early-stopping', 'never', '--top-k', 'many'), {
    bad_words_ids: [[1, 2], [3]],
    early_stopping: 'never',
    top_k: 'many',
  });
});

test('keeps string options as strings even if they look like numbers', () => {
  assert.deepEqual(parameters('--compat', '4.25', '--stop-strings', '42'), { compat: '4.25', stop_strings: '42' });
  assert.deepEqual(parameters('--stop-strings', '["a", "b"]'), { stop_strings: ['a', 'b'] });
});

test('declares every option once', () => {
  const names = SPECS.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
});

test('every accepted parameter is an option, and refused ones are not', () => {
  const names = new Set(SPECS.map(({ name }) => name.replaceAll('-', '_')));
  for (const { name, effect } of describeParameters()) assert.equal(names.has(name), effect !== 'refused', name);
});

test('a run has the parameters of both versions, and those of the pipeline', () => {
  const names = RUN_PARAMETERS.groups.flatMap((group) => group.options).map(({ name }) => name.replaceAll('-', '_'));
  assert.deepEqual(names, [...new Set(names)]);
  for (const compat of ['4.25', '5.18'] as const) {
    for (const { name, effect } of describeRunParameters(compat))
      assert.equal(names.includes(name), effect !== 'refused');
  }
  assert.ok(names.includes('response_length'));
});

test('takes the names of llama.cpp, ollama and OpenAI where they mean the same', () => {
  for (const name of ['-n', '--max-tokens', '--num-predict', '--n-predict', '--max_new_tokens']) {
    assert.deepEqual(parameters(name, '5'), { max_new_tokens: 5 }, name);
  }
  assert.deepEqual(parameters('--temp', '0.5', '-s', '7'), { temperature: 0.5, seed: 7 });
});
