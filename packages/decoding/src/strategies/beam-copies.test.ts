// Beam searches start num_beams copies of the prompt, all but one at -1e9 (transformers 4.24 to 5.18).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runStrategy } from '../drive.ts';
import { generate } from '../generate.ts';
import type { GenerateOutcome } from '../generate-outcome.ts';
import { parseGenerateParameters } from '../parameters/parse-generate-parameters.ts';
import { toyContext, toyScorer } from '../testing/toy-scorer.ts';

const PROMPT = [5, 9, 1, 14, 5, 9];

function run(parameters: Record<string, unknown>): GenerateOutcome {
  const { config } = parseGenerateParameters(parameters, toyContext(PROMPT.length));
  return runStrategy(generate({ prompt: PROMPT, config }, { clock: () => 0 }), toyScorer);
}
const allowed = (...sequences: readonly (readonly number[])[]) => ({
  allowed_sequences: sequences,
  after_prompt: true,
});
const tokensOf = ({ sequences }: GenerateOutcome) => sequences.map(({ tokens }) => [...tokens]);

const SEARCHES: Readonly<Record<string, Record<string, unknown>>> = {
  'beam search': { num_beams: 3 },
  'beam search that stops early': { num_beams: 3, early_stopping: true },
  'beam search that never stops early': { num_beams: 3, early_stopping: 'never' },
  'beam search of 4.25': { num_beams: 3, compat: '4.25' },
  'beam sampling': { num_beams: 3, do_sample: true, seed: 3 },
  'group beam search': { num_beams: 4, num_beam_groups: 2, diversity_penalty: 0.5 },
  'group beam search of 4.25': { num_beams: 4, num_beam_groups: 2, diversity_penalty: 0.5, compat: '4.25' },
  'constrained beam search': { num_beams: 3, force_words_ids: [[7]] },
};

for (const [name, parameters] of Object.entries(SEARCHES)) {
  for (const removeInvalid of [true, false]) {
    test(`${name} keeps to the one allowed sequence with remove_invalid_values ${removeInvalid}`, () => {
      const outcome = run({
        ...parameters,
        max_new_tokens: 3,
        remove_invalid_values: removeInvalid,
        prefix_allowed_tokens_fn: allowed([7, 8, 10]),
      });
      assert.deepEqual(tokensOf(outcome), [[7, 8, 10]]);
    });
  }

  // Constrained search proposes the tokens of its constraints even where they are forbidden, as transformers does.
  if (name === 'constrained beam search') continue;
  test(`${name} prefers every allowed token to a forbidden one`, () => {
    const sequences = [
      [7, 8, 10],
      [7, 8, 11],
      [12, 8, 4],
    ];
    const outcome = run({
      ...parameters,
      num_return_sequences: parameters.do_sample === true ? 1 : 2,
      max_new_tokens: 3,
      remove_invalid_values: true,
      prefix_allowed_tokens_fn: allowed(...sequences),
    });
    const given = new Set(sequences.map(String));
    for (const tokens of tokensOf(outcome)) assert.ok(given.has(String(tokens)), String(tokens));
  });
}

test('returned sequences beyond the possible ones repeat them, with a score of -1e9 and a warning', () => {
  const outcome = run({
    num_beams: 3,
    num_return_sequences: 2,
    max_new_tokens: 1,
    remove_invalid_values: true,
    prefix_allowed_tokens_fn: allowed([7, 8]),
  });
  assert.deepEqual(tokensOf(outcome), [[7], [7]]);
  assert.equal(outcome.sequences[1]!.score, -1e9);
  assert.match(outcome.warnings![0]!, /only 1 of 2 sequences/);
});

test('forbidden tokens are generated where nothing else is left', () => {
  const everyToken = Array.from({ length: toyContext(0).vocabSize }, (_, token) => token);
  const outcome = run({
    num_beams: 2,
    max_new_tokens: 2,
    remove_invalid_values: true,
    bad_words_ids: everyToken.map((token) => [token]),
  });
  assert.equal(outcome.sequences[0]!.tokens.length > 0, true);
});
