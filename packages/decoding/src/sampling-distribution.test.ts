// Distribution tests of the production sampler: fixed seeds, alpha 1e-4 (a deviate of 3.72).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runStrategy, type Scorer } from './drive.ts';
import { generate } from './generate.ts';
import { type NoiseStream, seededNoise } from './noise.ts';
import { sampleToken } from './numerics/sample-token.ts';
import { parseGenerateParameters } from './parameters/parse-generate-parameters.ts';
import { drawCandidates } from './strategies/candidates.ts';
import { chiSquareDeviate } from './testing/chi-square.ts';
import { seededUniforms } from './testing/seeded-uniforms.ts';
import { constantScorer } from './testing/toy-scorer.ts';

const CRITICAL = 3.72;

/** Generated tokens of many calls, each with a seed of its own. */
function draws(params: Record<string, unknown>, scorer: Scorer, vocabSize: number, calls: number): number[][] {
  const { config } = parseGenerateParameters(
    { do_sample: true, num_return_sequences: 32, ...params },
    { vocabSize, contextLength: 16, eosTokenId: null, promptLength: 1 },
  );
  const drawn: number[][] = [];
  for (let seed = 0; seed < calls; seed++) {
    const strategy = generate({ prompt: [0], config: { ...config, seed } }, { clock: () => 0 });
    for (const { tokens } of runStrategy(strategy, scorer).sequences) drawn.push([...tokens]);
  }
  return drawn;
}

function counts(ids: readonly number[], size: number): number[] {
  const result = new Array<number>(size).fill(0);
  for (const id of ids) result[id] = (result[id] ?? 0) + 1;
  return result;
}

function softmax(logits: readonly number[]): number[] {
  const weights = logits.map((logit) => Math.exp(logit));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

test('one step follows the softmax of the logits', () => {
  const logits = [0, 1.5, -2, 0.3, 2, -7, 1, 0.9];
  const drawn = draws({ top_k: 0, max_new_tokens: 1 }, constantScorer(logits), 8, 2000).flat();
  assert.equal(drawn.length, 64_000);
  assert.ok(chiSquareDeviate(counts(drawn, 8), softmax(logits)) < CRITICAL);
});

test('warpers leave exact zeros, and the softmax of the rest', () => {
  const logits = [0, 1.5, -2, 0.3, 2, -7, 1, 0.9];
  const params = { temperature: 0.7, top_k: 5, top_p: 0.9, max_new_tokens: 1 };
  const drawn = counts(draws(params, constantScorer(logits), 8, 2000).flat(), 8);
  // By temperature 0.7 the five best are 4, 1, 6, 7, 3; the first three hold 0.89, the first four 1 - 0.042.
  const kept = [4, 1, 6, 7];
  const probabilities = softmax(
    logits.map((logit, id) => (kept.includes(id) ? logit / 0.7 : Number.NEGATIVE_INFINITY)),
  );
  assert.deepEqual(
    drawn.map((count) => count > 0),
    probabilities.map((probability) => probability > 0),
  );
  assert.ok(chiSquareDeviate(drawn, probabilities) < CRITICAL);
});

test('two steps have the joint distribution of the model', () => {
  const first = [0.5, 0, -1];
  const second = (before: number) => [before, 1 - before, 0.2 * before];
  const scorer: Scorer = ({ tokens }) => ({
    logits: [Float32Array.from(tokens.length === 1 ? first : second(tokens.at(-1)!))],
    hidden: [],
    layers: [],
  });
  const pairs = draws({ top_k: 0, max_new_tokens: 2 }, scorer, 3, 1500).map(([a, b]) => a! * 3 + b!);
  const joint = softmax(first).flatMap((p, a) => softmax(second(a)).map((q) => p * q));
  assert.ok(chiSquareDeviate(counts(pairs, 9), joint) < CRITICAL);
});

test('rows of one call are independent of one another', () => {
  const logits = [0, 0.7, -0.4];
  const { config } = parseGenerateParameters(
    { do_sample: true, top_k: 0, max_new_tokens: 1, num_return_sequences: 2 },
    { vocabSize: 3, contextLength: 16, eosTokenId: null, promptLength: 1 },
  );
  const pairs = Array.from({ length: 40_000 }, (_, seed) => {
    const strategy = generate({ prompt: [0], config: { ...config, seed } }, { clock: () => 0 });
    const [a, b] = runStrategy(strategy, constantScorer(logits)).sequences;
    return a!.tokens[0]! * 3 + b!.tokens[0]!;
  });
  const p = softmax(logits);
  assert.ok(
    chiSquareDeviate(
      counts(pairs, 9),
      p.flatMap((one) => p.map((other) => one * other)),
    ) < CRITICAL,
  );
});

test('beam sampling draws without replacement, in the order of successive draws', () => {
  const scores = Float32Array.from([0, 1, -1, 0.5]);
  const probabilities = softmax([...scores]);
  const orders = Array.from({ length: 60_000 }, (_, seed) => {
    const noise = seededNoise(seed).stream(0);
    const [a, b] = drawCandidates([{ beam: 0, scores, beamScore: 0 }], 1, 2, noise, () => {});
    assert.notEqual(a!.token, b!.token);
    return a!.token * 4 + b!.token;
  });
  const expected = probabilities.flatMap((p, a) => probabilities.map((q, b) => (a === b ? 0 : (p * q) / (1 - p))));
  assert.ok(chiSquareDeviate(counts(orders, 16), expected) < CRITICAL);
});

test('a small change of the scores changes the drawn token only where two tokens are nearly equal', () => {
  const uniform = seededUniforms(17);
  // Nearly flat, so that every cumulative probability is sensitive to the tokens before it.
  const scores = Float32Array.from({ length: 20_000 }, () => 6 * uniform());
  const changed = (noise: (seed: number) => NoiseStream): number => {
    let count = 0;
    for (let seed = 0; seed < 100; seed++) {
      const shifted = scores.map((score) => score + 2e-3 * (uniform() - 0.5));
      if (sampleToken(scores, noise(seed)) !== sampleToken(shifted, noise(seed))) count++;
    }
    return count;
  };
  assert.ok(changed((seed) => seededNoise(seed).stream(0)) <= 2);
  // The inverse CDF in the order of ids is sensitive: the inputs can show the difference.
  assert.ok(changed((seed) => ({ kind: 'uniform', next: seededUniforms(seed) })) >= 5);
});

test('the test statistic rejects a wrong distribution', () => {
  assert.ok(chiSquareDeviate([5250, 4750], [0.5, 0.5]) > CRITICAL);
  assert.ok(chiSquareDeviate([5030, 4970], [0.5, 0.5]) < CRITICAL);
});
