import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeParameters } from '@gptj-cloud/decoding';
import { generateParameters, PARAMETER_GROUPS } from './generate-parameters.ts';
import { parseOptions } from './options.ts';

const SPECS = [...PARAMETER_GROUPS.flatMap((group) => group.options), { name: 'model', value: 'FILE', summary: '' }];

function parameters(...args: string[]): Readonly<Record<string, unknown>> {
  return generateParameters(parseOptions(SPECS, args));
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
