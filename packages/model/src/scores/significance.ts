/** Tests of whether two runs on the same documents differ. */

/**
 * McNemar's exact test: the probability of a split at least as uneven as `gained` to `lost`, where each document that changed
 * had either direction with probability 1/2.
 */
export function mcNemarP(gained: number, lost: number): number {
  const changed = gained + lost;
  if (changed === 0) return 1;
  let logTerm = -changed * Math.LN2;
  let sum = 0;
  for (let at = 0; at <= Math.min(gained, lost); at++) {
    sum += Math.exp(logTerm);
    logTerm += Math.log(changed - at) - Math.log(at + 1);
  }
  return Math.min(1, 2 * sum);
}

export interface PairedInterval {
  readonly difference: number;
  /** Of 95 %. */
  readonly low: number;
  readonly high: number;
}

const MAX_ITERATIONS = 10_000;
const MIN_ITERATIONS = 1_000;
/** Drawn documents of all iterations together, which bound the time of a test. */
const MAX_DRAWS = 20_000_000;

/** exp(-mean) of `after` minus that of `before`, with the interval of a bootstrap over documents, seeded. */
export function pairedPerplexity(before: readonly number[], after: readonly number[]): PairedInterval {
  const count = before.length;
  const iterations = Math.max(MIN_ITERATIONS, Math.min(MAX_ITERATIONS, Math.floor(MAX_DRAWS / Math.max(1, count))));
  const random = createRandom(1234);
  const differences = new Float64Array(iterations);
  for (let draw = 0; draw < iterations; draw++) {
    let [a, b] = [0, 0];
    for (let at = 0; at < count; at++) {
      const index = Math.floor(random() * count);
      a += before[index]!;
      b += after[index]!;
    }
    differences[draw] = Math.exp(-b / count) - Math.exp(-a / count);
  }
  differences.sort();
  return {
    difference: perplexityOf(after) - perplexityOf(before),
    low: differences[Math.floor(iterations * 0.025)]!,
    high: differences[Math.ceil(iterations * 0.975) - 1]!,
  };
}

/** exp(-mean). */
export function perplexityOf(logLikelihoods: readonly number[]): number {
  return Math.exp(-logLikelihoods.reduce((sum, each) => sum + each, 0) / logLikelihoods.length);
}

/** Mulberry32: numbers from 0 to below 1 of 32 bits, the same on every machine. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
