import type { TokenId } from '@gptj-cloud/model';
import type { NoiseStream } from '../noise.ts';
import { type Argmax, argmaxOrRefuse } from './argmax.ts';
import { cellWord, type DrawKey, gumbelBound, gumbelNoise } from './cell-noise.ts';
import { expOfNegative } from './exponential.ts';

let weights = new Float64Array(0);

/**
 * Draw a token from softmax(scores). A token at -inf is never drawn.
 *
 * A keyed stream adds a token's own Gumbel noise to each score and takes the largest sum (the Gumbel-max trick); a
 * uniform stream takes the smallest id whose cumulative probability exceeds the number, accumulated in float64.
 *
 * Throws `no_possible_token` when every score is -inf.
 */
export function sampleToken(scores: Float32Array, noise: NoiseStream, argmax?: Argmax): TokenId {
  const likeliest = argmaxOrRefuse(scores, argmax);
  return noise.kind === 'keyed'
    ? largestSum(scores, likeliest, noise.next())
    : inverseCdf(scores, scores[likeliest]!, noise.next());
}

function largestSum(scores: Float32Array, likeliest: TokenId, key: DrawKey): TokenId {
  const largest = scores[likeliest]!;
  let best = likeliest;
  let bestSum = gumbelNoise(cellWord(key, likeliest), key);
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    // Equal infinities count as equal, where their difference would be NaN.
    const below = score === largest ? 0 : score - largest;
    if (!(below > Number.NEGATIVE_INFINITY) || id === likeliest) continue;
    const word = cellWord(key, id);
    // Of 50400 tokens a few dozen pass, so the logarithms cost nothing.
    if (below + gumbelBound(word) <= bestSum) continue;
    const sum = below + gumbelNoise(word, key);
    if (sum <= bestSum) continue;
    best = id;
    bestSum = sum;
  }
  return best;
}

function inverseCdf(scores: Float32Array, largest: number, uniform: number): TokenId {
  if (weights.length < scores.length) weights = new Float64Array(scores.length);
  let sum = 0;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    const weight = score === largest ? 1 : expOfNegative(score - largest);
    weights[id] = weight;
    sum += weight;
  }
  const target = uniform * sum;
  let cumulative = 0;
  let last = 0;
  for (let id = 0; id < scores.length; id++) {
    const weight = weights[id]!;
    if (weight === 0) continue;
    cumulative += weight;
    last = id;
    if (cumulative > target) return id;
  }
  return last;
}
