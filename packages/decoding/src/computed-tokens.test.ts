import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computedTokens, countPositions, maxComputedTokens } from './computed-tokens.ts';
import { DecodingError } from './decoding-error.ts';
import { runStrategy } from './drive.ts';
import { findDraft } from './find-draft.ts';
import { generate } from './generate.ts';
import { ParameterError } from './parameter-error.ts';
import { parseGenerateParameters } from './parameters/parse-generate-parameters.ts';
import { EVERY_MODE, TOY_PROMPT } from './testing/run-toy.ts';
import { TOY_EOS, TOY_VOCABULARY, toyContext, toyScorer } from './testing/toy-scorer.ts';

/** What a generation cost when it ended, and what may have been reserved for it. */
interface Costs {
  readonly computed: number;
  readonly reserved: number;
  readonly ended: 'finished' | 'impossible' | 'cancelled';
}

/** Generate with the toy model; `cancelAfter` is the number of requests for scores after which it ends. */
function costsOf(
  params: Record<string, unknown>,
  { prompt = TOY_PROMPT, cancelAfter = Number.POSITIVE_INFINITY, draftTokens = 0 } = {},
): Costs {
  const { config } = parseGenerateParameters(params, toyContext(prompt.length));
  let positions = 0;
  let seen = 0;
  let requests = 0;
  const cost = (ended: Costs['ended']): Costs => {
    const computed = computedTokens(positions, prompt.length, seen);
    return { computed, reserved: maxComputedTokens(config, prompt.length), ended };
  };
  class Cancelled extends Error {}
  try {
    const outcome = runStrategy(
      generate({ prompt, config }, { clock: () => 0 }),
      toyScorer,
      (request) => {
        positions += countPositions(request.rows);
        for (const { tokens } of request.finalTokens) seen += tokens.length;
        if (++requests >= cancelAfter) throw new Cancelled();
      },
      ({ sequence, maxTokens }) => findDraft(sequence, 1, 8, Math.min(draftTokens, maxTokens)),
    );
    seen = outcome.sequences.reduce((sum, { tokens }) => sum + tokens.length, 0);
    return cost('finished');
  } catch (error) {
    if (error instanceof Cancelled) return cost('cancelled');
    if (error instanceof DecodingError) return cost('impossible');
    throw error;
  }
}

const eos = { eos_token_id: -1 };

test('plain decoding costs its prompt and its output, with drafts of the engine as without', () => {
  const expected = TOY_PROMPT.length + 40;
  for (const draftTokens of [0, 3, 12]) {
    assert.equal(costsOf({ max_new_tokens: 40, ...eos }, { draftTokens }).computed, expected);
  }
  const sampled = costsOf({ max_new_tokens: 40, do_sample: true, seed: 1, num_return_sequences: 3, ...eos });
  assert.equal(sampled.computed, TOY_PROMPT.length + 3 * 40);
});

test('every branch, beam, candidate and requested draft counts', () => {
  const length = TOY_PROMPT.length;
  const ask = (params: Record<string, unknown>): number => costsOf({ max_new_tokens: 10, ...eos, ...params }).computed;
  assert.equal(ask({ num_beams: 4 }), length + 4 * 9);
  assert.equal(ask({ guidance_scale: 1.5, negative_prompt_ids: new Array(50).fill(4) }), length + 50 + 2 * 9);
  assert.equal(ask({ penalty_alpha: 0.6, top_k: 4 }), length + 4 * 10);
  assert.ok(ask({ prompt_lookup_num_tokens: 6 }) > length + 10);
});

test('a generation never costs more than the maximum of its configuration, however it ends', () => {
  const noise = lcg(20261127);
  const below = (limit: number): number => Math.floor(noise() * limit);
  const ends = { finished: 0, impossible: 0, cancelled: 0 };
  let exact = 0;
  for (let round = 0; round < 1500; round++) {
    const prompt = Array.from({ length: 1 + below(20) }, () => below(TOY_VOCABULARY));
    const params = randomParameters(below, noise);
    const cancelAfter = below(3) === 0 ? 1 + below(8) : Number.POSITIVE_INFINITY;
    let costs: Costs;
    try {
      costs = costsOf(params, { prompt, cancelAfter, draftTokens: below(5) });
    } catch (error) {
      // Two parameters of a random set may exclude each other.
      if (error instanceof ParameterError) continue;
      throw error;
    }
    ends[costs.ended]++;
    if (costs.computed === costs.reserved) exact++;
    assert.ok(costs.computed <= costs.reserved, `${JSON.stringify({ params, prompt, costs })}`);
  }
  assert.ok(ends.finished > 300 && ends.impossible > 20 && ends.cancelled > 100, JSON.stringify(ends));
  assert.ok(exact > 200, `the maximum is reached ${exact} times`);
});

function randomParameters(below: (limit: number) => number, noise: () => number): Record<string, unknown> {
  const mode = EVERY_MODE[below(EVERY_MODE.length)]!;
  const chance = (share: number): boolean => noise() < share;
  const newTokens = below(24);
  return {
    ...mode,
    max_new_tokens: newTokens,
    ...(chance(0.7) ? { eos_token_id: -1 } : { eos_token_id: [TOY_EOS, below(TOY_VOCABULARY)] }),
    ...(chance(0.2) ? { num_beams: 4, num_return_sequences: 1 + below(4) } : {}),
    ...(chance(0.1) ? { do_sample: true, seed: below(99) } : {}),
    ...(chance(0.2) ? { prompt_logprobs: 1 } : {}),
    ...(chance(0.2) ? { guidance_scale: 1.4, negative_prompt_ids: new Array(1 + below(30)).fill(2) } : {}),
    ...(chance(0.2) ? { prompt_lookup_num_tokens: 1 + below(9) } : {}),
    ...(chance(0.1) ? { early_stopping: true } : {}),
    // Leaves no token to choose at some step.
    ...(chance(0.2)
      ? { prefix_allowed_tokens_fn: { allowed_sequences: [[1, 2, 4, 5, 6].slice(0, 1 + below(5))] } }
      : {}),
  };
}

/** Numbers from 0 to 1 of a linear congruential generator. */
function lcg(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
