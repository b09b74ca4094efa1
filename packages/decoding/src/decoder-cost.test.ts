import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CostRequest, parametersOf } from './testing/cost-search/cost-request.ts';
import { greedyStepMs, measureRequest, type RequestCost } from './testing/cost-search/measure-request.ts';
import { searchCost } from './testing/cost-search/search-cost.ts';
import { seededUniforms } from './testing/seeded-uniforms.ts';
import { MAX_STEPS_PER_EVALUATION } from './work-budget.ts';

const REQUESTS = 100;
/** One charge may lie beyond the limit: it is refused when it is counted. */
const MAX_OVERSHOOT = 1.5;
/** Times what 64 rows take that choose their likeliest tokens. The whole budget takes 15 to 45 times that, by how warm each is. */
const MAX_FACTOR = 80;
/** Measurements of a request, each beside a plain step: other processes disturb some. */
const MAX_TRIES = 4;

/** Requests that took minutes before work was counted: all are affordable now, or refused before they are computed. */
const FORMERLY_COSTLY: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'empty groups': {
    prefix_allowed_tokens_fn: {
      regex: `(?:(?:${[...'abcdefghijklmnopqrstuvwxyz0123456789'].join('|')})(?:(?:){0,1000}){0,1000})*`,
    },
  },
  'many sets of states': { prefix_allowed_tokens_fn: { regex: '[a-zA-Z ,.]*a[a-zA-Z ,.]{30}' } },
  'wide context of a watermark': {
    num_beams: 64,
    watermarking_config: { seeding_scheme: 'selfhash', context_width: 1000, greenlist_ratio: 0.9 },
  },
  'long n-grams of drafts': { prompt_lookup_num_tokens: 1, max_matching_ngram_size: 100_000 },
  'long biases': { num_beams: 64, sequence_bias: Array.from({ length: 700 }, (_, at) => [[...ending(250), at], 0.1]) },
  'filters of a flat distribution': {
    num_beams: 64,
    do_sample: true,
    top_k: 0,
    typical_p: 0.999,
    top_h: 0.99,
    top_p: 0.999,
  },
  'long stop sequences': {
    num_beams: 32,
    stopping_criteria: [
      { type: 'stop_token_sequences', sequences: Array.from({ length: 700 }, (_, at) => [at, ...ending(250)]) },
    ],
  },
  '64 beams': { num_beams: 64 },
};

function ending(length: number): number[] {
  return new Array<number>(length).fill(300);
}

/** The request's cost; throws when each of several measurements is beyond the limit. `plainMs`: of a plain step, a moment ago. */
function affordable(
  request: CostRequest,
  evaluations: number,
  first: RequestCost,
  plainMs: number,
  shown: string,
): RequestCost {
  let [cost, limitMs] = [first, MAX_FACTOR * plainMs];
  for (let left = MAX_TRIES - 1; Math.max(cost.parseMs, cost.buildMs, cost.advanceMs) > limitMs; left--) {
    assert.ok(left > 0, `at most ${limitMs} ms: ${JSON.stringify(cost)}: ${shown}`);
    limitMs = MAX_FACTOR * greedyStepMs();
    cost = measureRequest(request, evaluations);
  }
  return cost;
}

const WARM_UP: CostRequest = { genes: {}, promptLength: 8, promptKind: 0, logits: 'spread' };

test('formerly costly requests are affordable, or refused before they are computed', () => {
  measureRequest(WARM_UP, 3);
  const plainMs = greedyStepMs();
  const outcomes = Object.entries(FORMERLY_COSTLY).map(([name, parameters]) => {
    const request: CostRequest = { genes: { parameters }, promptLength: 1200, promptKind: 1, logits: 'flat' };
    return [name, affordable(request, 3, measureRequest(request, 3), plainMs, name).outcome];
  });
  assert.deepEqual(Object.fromEntries(outcomes), {
    'empty groups': 'done',
    'many sets of states': 'done',
    'wide context of a watermark': 'limit_exceeded',
    'long n-grams of drafts': 'done',
    'long biases': 'done',
    'filters of a flat distribution': 'done',
    'long stop sequences': 'done',
    '64 beams': 'done',
  });
});

test('no request makes one step longer than the limit, in steps or beside a plain step', () => {
  const evaluations = 2;
  const search = searchCost({
    draw: seededUniforms(1),
    evaluations,
    objective: ({ steps }) => steps,
    random: 0.5,
    kept: 5,
  });
  measureRequest(WARM_UP, 3);
  const plainMs = greedyStepMs();
  let costliest = 0;
  for (let count = 0; count < REQUESTS; count++) {
    const { request, cost } = search.next().value;
    const shown = `${JSON.stringify(cost)}: ${JSON.stringify(parametersOf(request)).slice(0, 1000)}`;
    assert.ok(cost.steps <= MAX_OVERSHOOT * MAX_STEPS_PER_EVALUATION, shown);
    affordable(request, evaluations, cost, plainMs, shown);
    costliest = Math.max(costliest, cost.steps);
  }
  assert.ok(costliest > MAX_STEPS_PER_EVALUATION / 2, 'the search reaches costly requests');
});
