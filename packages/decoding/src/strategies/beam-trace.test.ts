import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BeamCandidate } from '../generate-outcome.ts';
import { parseGenerateParameters } from '../parameters/parse-generate-parameters.ts';
import type { ScoreRequest } from '../strategy.ts';
import { runToy } from '../testing/run-toy.ts';
import { toyContext } from '../testing/toy-scorer.ts';

const BEAM_MODES: readonly Record<string, unknown>[] = [
  { num_beams: 3, num_return_sequences: 2 },
  { num_beams: 3, do_sample: true, seed: 4 },
  { num_beams: 3, compat: '4.25', max_new_tokens: 12 },
  { num_beams: 2, do_sample: true, num_return_sequences: 3, seed: 4, compat: '4.25', max_new_tokens: 12 },
  { num_beams: 4, num_beam_groups: 2, diversity_penalty: 0.7, num_return_sequences: 4 },
  { num_beams: 3, force_words_ids: [[7, 8]], num_return_sequences: 2 },
  { num_beams: 2, guidance_scale: 1.7, negative_prompt_ids: [4, 4] },
];

/** The rows of the next step, as sequences: every kept candidate after its parent. */
function follow(rows: readonly (readonly number[])[], step: readonly BeamCandidate[]): readonly (readonly number[])[] {
  return step.filter(({ kept }) => kept).map(({ parent, token }) => [...rows[parent]!, token]);
}

test('output_beams returns the candidates of every step, from which the evaluated rows follow', () => {
  for (const params of BEAM_MODES) {
    const requests: ScoreRequest[] = [];
    const outcome = runToy({ ...params, output_beams: true }, { requests });
    const { beams } = outcome;
    assert.ok(beams !== undefined && beams.length > 1, JSON.stringify(params));
    let rows: readonly (readonly number[])[] = [[]];
    for (const [at, step] of beams.entries()) {
      // The first step starts from copies of the prompt.
      if (at === 0) rows = Array.from({ length: 64 }, () => []);
      for (const { parent, score } of step) assert.ok(rows[parent] !== undefined && Number.isFinite(score));
      const keys = step.map(({ parent, token }) => `${parent} ${token}`);
      assert.equal(new Set(keys).size, keys.length);
      rows = follow(rows, step);
      const evaluated = requests[at + 1]?.rows ?? [];
      const twins = 'guidance_scale' in params ? 2 : 1;
      assert.deepEqual(
        evaluated.slice(0, evaluated.length / twins).map(({ tokens }) => tokens[0]),
        rows.map((row) => row.at(-1)),
        JSON.stringify({ params, at }),
      );
      assert.deepEqual(requests[at + 1]?.searched ?? step, step);
    }
    for (const { tokens } of outcome.sequences) {
      // Every token of a returned sequence was considered at its step; a closing EOS may be an addition.
      for (const [at, token] of tokens.slice(0, -1).entries()) {
        assert.ok(
          beams[at]!.some((candidate) => candidate.token === token && candidate.kept),
          JSON.stringify(params),
        );
      }
    }
  }
});

test('output_beams changes no token, and has dropped candidates beside the kept ones', () => {
  for (const params of BEAM_MODES) {
    const { sequences } = runToy(params);
    const outcome = runToy({ ...params, output_beams: true });
    assert.deepEqual(outcome.sequences, sequences);
    assert.ok(
      outcome.beams!.some((step) => step.some(({ kept }) => !kept)),
      JSON.stringify(params),
    );
  }
});

test('output_beams is ignored with a warning without beams, and limited', () => {
  assert.equal(runToy({ output_beams: true }).beams, undefined);
  assert.equal(runToy({ num_beams: 2, output_beams: true, return_dict_in_generate: false }).beams, undefined);
  const context = { ...toyContext(4), contextLength: 2048 };
  assert.throws(
    () => parseGenerateParameters({ num_beams: 64, output_beams: true, max_new_tokens: 1900 }, context),
    /output_beams: 64 beams of 1900 steps would return 364800 candidates, at most 262144/,
  );
});
