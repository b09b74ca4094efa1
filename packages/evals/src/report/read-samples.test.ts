import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSample } from './read-samples.ts';

const sample = (requests: readonly (readonly string[])[], more: object = {}): string =>
  JSON.stringify({
    doc_id: 7,
    target: ' right',
    arguments: Object.fromEntries(
      requests.map((request, at) => [
        `gen_args_${at}`,
        Object.fromEntries(request.map((text, place) => [`arg_${place}`, text])),
      ]),
    ),
    resps: [[['-1', 'True']]],
    ...more,
  });

test('reads choices after one context, contexts of one continuation, a whole text, and a generated answer', () => {
  const choices = [
    ['Q', ' a'],
    ['Q', ' b'],
  ];
  assert.deepEqual(readSample(sample(choices), 'x'), {
    id: 7,
    context: 'Q',
    choices: [' a', ' b'],
    continuation: null,
    answer: null,
  });
  const contexts = [
    ['Ann', ' left'],
    ['Bob', ' left'],
  ];
  const { context, choices: names, continuation } = readSample(sample(contexts), 'x');
  assert.deepEqual([context, names, continuation], ['', ['Ann', 'Bob'], ' left']);
  assert.deepEqual(readSample(sample([['A whole text.']]), 'x').choices, ['A whole text.']);
  const generated = readSample(sample([['Q', ' right']], { resps: [' wrong'] }), 'x');
  assert.deepEqual([generated.context, generated.choices, generated.answer], ['Q', [' right'], ' wrong']);
});

test('refuses lines of another form by name', () => {
  for (const line of ['{', '[]', '{}', sample([['Q']]).replace('"Q"', '1')]) {
    assert.throws(() => readSample(line, 'samples_x.jsonl'), /^EvaluationError: samples_x\.jsonl: expected /);
  }
});
