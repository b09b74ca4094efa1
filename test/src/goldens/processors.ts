// processors.json: one call of the logits processor list per case.
import {
  allowedNextOf,
  applyLogitsProcessors,
  buildLogitsProcessors,
  parseGenerateParameters,
} from '@gptj-cloud/decoding';
import { casesOf, type Fields, isClose, toFields } from './golden-json.ts';
import type { GoldenResult } from './golden-runner.ts';
import { hashScores } from './toy-model.ts';

/** Every score within the case's tolerance, -inf exact. */
export function* runProcessors(text: string): Generator<GoldenResult> {
  for (const one of casesOf(text, 'processors/1')) {
    const name = one.text('name');
    try {
      const input = inputScores(one);
      const scores = input.slice();
      process(one, scores);
      const wrong = one.has('expected')
        ? compareRow(scores, one.list('expected').map(toScore), one.number('tolerance'))
        : compareSparse(scores, input, one.object('expected_sparse'), one.number('tolerance'));
      yield wrong === null ? { name, passed: true } : { name, passed: false, ...wrong };
    } catch (error) {
      yield { name, passed: false, expected: 'scores', got: String(error) };
    }
  }
}

function process(one: Fields, scores: Float32Array): void {
  const sequence = one.numbers('input_ids');
  const prompt = sequence.slice(0, one.number('prompt_len'));
  const numBeams = one.number('num_beams');
  const { config } = parseGenerateParameters(
    { ...one.object('params').value, ...(numBeams > 1 ? { num_beams: numBeams } : {}), compat: one.text('era') },
    { vocabSize: scores.length, contextLength: 1 << 20, eosTokenId: null, promptLength: prompt.length },
  );
  const group = one.has('group') ? one.object('group') : null;
  const earlier = group === null ? 0 : (group.number('beam_group_idx') * numBeams) / config.numBeamGroups;
  applyLogitsProcessors(buildLogitsProcessors(config, prompt, allowedNextOf(config, prompt)), [
    {
      scores,
      sequence,
      chosenByEarlierGroups: group === null ? [] : group.numbers('current_tokens').slice(0, earlier),
      ...(one.has('uncond_scores') ? { unconditional: toRow(one.list('uncond_scores')) } : {}),
    },
  ]);
}

function inputScores(one: Fields): Float32Array {
  if (one.has('scores')) return toRow(one.list('scores'));
  const recipe = one.object('scores_gen');
  const scores = hashScores(recipe.number('vocab'), recipe.number('seed'), recipe.number('shift'));
  for (const [id, value] of pairs(recipe, 'overrides')) scores[id] = value;
  return scores;
}

type Difference = { readonly expected: string; readonly got: string };

function compareRow(scores: Float32Array, expected: readonly number[], tolerance: number): Difference | null {
  if (scores.length !== expected.length) return { expected: `${expected.length} scores`, got: `${scores.length}` };
  const id = expected.findIndex((value, at) => !isClose(scores[at], value, tolerance));
  return id === -1 ? null : { expected: `score ${expected[id]} of id ${id}`, got: String(scores[id]) };
}

function compareSparse(
  scores: Float32Array,
  input: Float32Array,
  sparse: Fields,
  tolerance: number,
): Difference | null {
  const entries = new Map(pairs(sparse, 'entries'));
  if (sparse.raw('partial') === true) {
    for (const [id, value] of entries) {
      if (!isClose(scores[id], value, tolerance))
        return { expected: `score ${value} of id ${id}`, got: `${scores[id]}` };
    }
    return sparse.has('changed') ? compareChanged(scores, input, sparse.object('changed'), tolerance) : null;
  }
  const add = sparse.has('add') ? sparse.number('add') : 0;
  const otherwise = {
    '-inf': () => Number.NEGATIVE_INFINITY,
    input: (score: number) => score,
    'input+': (score: number) => score + add,
  };
  const fallback = new Map(Object.entries(otherwise)).get(sparse.text('default'));
  if (fallback === undefined) throw new Error(`unknown default ${sparse.text('default')}`);
  return compareRow(
    scores,
    Array.from(input, (score, id) => entries.get(id) ?? fallback(score)),
    tolerance,
  );
}

/** The set of changed ids by its fingerprint, each changed by `delta`. */
function compareChanged(
  scores: Float32Array,
  input: Float32Array,
  changed: Fields,
  tolerance: number,
): Difference | null {
  const ids = Array.from(scores.keys()).filter((id) => scores[id] !== input[id]);
  const delta = changed.number('delta');
  const off = ids.find((id) => !isClose(scores[id], input[id]! + delta, tolerance));
  if (off !== undefined) return { expected: `id ${off} changed by ${delta}`, got: `${scores[off]! - input[off]!}` };
  const got = {
    count: ids.length,
    id_sum: ids.reduce((sum, id) => sum + id, 0),
    id_xor: ids.reduce((xor, id) => xor ^ id, 0),
  };
  const expected = {
    count: changed.number('count'),
    id_sum: changed.number('id_sum'),
    id_xor: changed.number('id_xor'),
  };
  const [shown, wanted] = [JSON.stringify(got), JSON.stringify(expected)];
  return shown === wanted ? null : { expected: wanted, got: shown };
}

function pairs(fields: Fields, name: string): (readonly [id: number, value: number])[] {
  return fields.list(name).map((pair) => {
    const [id, value] = toFields({ pair }, name).list('pair');
    if (typeof id !== 'number') throw new Error(`expected [id, value] in ${name}, got ${JSON.stringify(pair)}`);
    return [id, toScore(value)];
  });
}

function toRow(values: readonly unknown[]): Float32Array {
  return Float32Array.from(values, toScore);
}

/** `null` is -inf; "nan" and "inf" as named. */
function toScore(value: unknown): number {
  if (value === null) return Number.NEGATIVE_INFINITY;
  if (value === 'nan') return Number.NaN;
  if (value === 'inf') return Number.POSITIVE_INFINITY;
  if (typeof value !== 'number') throw new Error(`expected a score, got ${JSON.stringify(value)}`);
  return Math.fround(value);
}
