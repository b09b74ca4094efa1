/**
 * Confidence intervals by the percentile bootstrap over chunks: whole chunks of text are drawn with replacement, because the
 * tokens of one chunk depend on one another, and an interval from single tokens would be too narrow.
 */

export interface Estimate {
  readonly value: number;
  /** Ends of the interval; null with fewer than two chunks. */
  readonly low: number | null;
  readonly high: number | null;
}

export const RESAMPLES = 2000;
export const CONFIDENCE = 0.95;
/** The same text gives the same interval. */
const SEED = 20210609;

/** Draws of chunks: for every resample, how often each chunk is in it. */
export type Draws = readonly Uint16Array[];

export function drawChunks(chunks: number, resamples: number = RESAMPLES): Draws {
  if (chunks < 2) return [];
  const random = mulberry32(SEED);
  return Array.from({ length: resamples }, () => {
    const counts = new Uint16Array(chunks);
    for (let i = 0; i < chunks; i++) counts[Math.floor(random() * chunks)]!++;
    return counts;
  });
}

/** The mean of values that are grouped by chunk, mapped by `transform` (which must rise). */
export function estimateMean(
  chunks: readonly (readonly number[])[],
  draws: Draws,
  transform: (mean: number) => number = (mean) => mean,
): Estimate {
  const sums = chunks.map((values) => values.reduce((sum, value) => sum + value, 0));
  const mean = (weight: (chunk: number) => number): number => {
    let sum = 0;
    let count = 0;
    for (const [chunk, values] of chunks.entries()) {
      sum += weight(chunk) * sums[chunk]!;
      count += weight(chunk) * values.length;
    }
    return transform(sum / count);
  };
  return interval(
    mean(() => 1),
    draws.map((counts) => mean((chunk) => counts[chunk]!)),
  );
}

/** The smallest value that at least a `share` of all values do not exceed. */
export function estimateQuantile(chunks: readonly (readonly number[])[], share: number, draws: Draws): Estimate {
  const sorted = chunks
    .flatMap((values, chunk) => values.map((value) => ({ value, chunk })))
    .sort((a, b) => a.value - b.value);
  const quantile = (weight: (chunk: number) => number): number => {
    const total = chunks.reduce((sum, values, chunk) => sum + weight(chunk) * values.length, 0);
    let seen = 0;
    for (const { value, chunk } of sorted) {
      seen += weight(chunk);
      if (seen >= share * total) return value;
    }
    return sorted.at(-1)?.value ?? Number.NaN;
  };
  return interval(
    quantile(() => 1),
    draws.map((counts) => quantile((chunk) => counts[chunk]!)),
  );
}

function interval(value: number, resampled: readonly number[]): Estimate {
  if (resampled.length === 0) return { value, low: null, high: null };
  const sorted = Float64Array.from(resampled).sort();
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
  return { value, low: at((1 - CONFIDENCE) / 2), high: at((1 + CONFIDENCE) / 2) };
}

/** Uniform in [0, 1): Tommy Ettinger's mulberry32. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
