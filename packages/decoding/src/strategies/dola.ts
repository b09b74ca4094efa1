import { logSumExp } from '../numerics/log-softmax.ts';
import { STEPS } from '../work-budget.ts';

/** ln of the share of the likeliest token's probability below which a token is forbidden. */
const LOG_RELATIVE_TOP = Math.log(0.1);

/**
 * DoLa (arXiv 2309.03883, `_dola_decoding` of transformers 4.43): the final layer's log-probabilities less those of an
 * inner layer, the one whose distribution is farthest from the final one. Forbids tokens whose probability in the final layer is
 * less than a tenth of the maximum.
 *
 * `layers`: at least one row of inner logits. Returns a new row.
 */
export function contrastLayers(final: Float32Array, layers: readonly Float32Array[]): Float32Array {
  const finalNormaliser = logSumExp(final);
  const layer = farthestLayer(final, finalNormaliser, layers);
  const layerNormaliser = logSumExp(layer);
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of final) if (logit > largest) largest = logit;
  const scores = new Float32Array(final.length);
  for (let id = 0; id < final.length; id++) {
    const logit = final[id]!;
    scores[id] =
      logit < largest + LOG_RELATIVE_TOP
        ? Number.NEGATIVE_INFINITY
        : logit - finalNormaliser - (layer[id]! - layerNormaliser);
  }
  return scores;
}

/** Steps of `contrastLayers`. */
export function dolaSteps(vocabSize: number, layers: number): number {
  const perLayer = STEPS.exp + 1 + (layers > 1 ? 2 * STEPS.log : 0);
  return vocabSize * (perLayer * layers + STEPS.exp + STEPS.log + 6);
}

function farthestLayer(final: Float32Array, normaliser: number, layers: readonly Float32Array[]): Float32Array {
  const [first, ...others] = layers;
  if (others.length === 0) return first!;
  let farthest = first!;
  let largest = Number.NEGATIVE_INFINITY;
  const probabilities = Float64Array.from(final, (logit) => Math.exp(logit - normaliser));
  for (const layer of layers) {
    const divergence = divergenceOf(final, normaliser, probabilities, layer, logSumExp(layer));
    if (divergence > largest) {
      largest = divergence;
      farthest = layer;
    }
  }
  return farthest;
}

/**
 * KL(m || p) + KL(m || q) with m = (p + q) / 2. transformers calls it the Jensen-Shannon divergence; the textbook has
 * the arguments of KL the other way round.
 */
function divergenceOf(
  a: Float32Array,
  normaliserOfA: number,
  probabilitiesOfA: Float64Array,
  b: Float32Array,
  normaliserOfB: number,
): number {
  let sum = 0;
  for (let id = 0; id < a.length; id++) {
    const logP = a[id]! - normaliserOfA;
    const logQ = b[id]! - normaliserOfB;
    const middle = (probabilitiesOfA[id]! + Math.exp(logQ)) / 2;
    if (middle > 0) sum += middle * (2 * Math.log(middle) - logP - logQ);
  }
  return sum;
}
