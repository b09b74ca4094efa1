import { expOfNegative } from '@gptj-cloud/decoding';

/** How two models predict one token. */
export interface TokenComparison {
  /** Negative log-likelihood of the token that follows, in nats. */
  readonly referenceLoss: number;
  readonly loss: number;
  /** Kullback-Leibler divergence of the model's distribution from the reference's, in nats. */
  readonly divergence: number;
  /** Whether both find the same token the most likely. */
  readonly agrees: boolean;
}

/** Compare the logits of two models for one position. `next` is the token that follows in the text. */
export function compareRows(reference: Float32Array, row: Float32Array, next: number): TokenComparison {
  const referenceTop = indexOfLargest(reference);
  const top = indexOfLargest(row);
  const referenceMax = reference[referenceTop]!;
  const max = row[top]!;
  let referenceSum = 0;
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < row.length; i++) {
    const share = expOfNegative(reference[i]! - referenceMax);
    referenceSum += share;
    sum += expOfNegative(row[i]! - max);
    // 0 · ∞ of a token that the reference excludes is 0.
    if (share > 0) weighted += share * (reference[i]! - row[i]!);
  }
  const referenceLog = referenceMax + Math.log(referenceSum);
  const log = max + Math.log(sum);
  return {
    referenceLoss: referenceLog - reference[next]!,
    loss: log - row[next]!,
    // Rounding makes it slightly negative where both are equal.
    divergence: Math.max(0, weighted / referenceSum - referenceLog + log),
    agrees: referenceTop === top,
  };
}

function indexOfLargest(values: Float32Array): number {
  let top = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[top]!) top = i;
  return top;
}
