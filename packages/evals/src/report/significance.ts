/** Tests of whether two runs on the same documents differ. */
import { mean } from '../metrics/mean.ts';
import { createPythonRandom } from '../python/python-random.ts';

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

const ITERATIONS = 10_000;

/** exp(-mean) of `after` minus that of `before`, with the interval of a bootstrap over documents, seeded. */
export function pairedPerplexity(before: readonly number[], after: readonly number[]): PairedInterval {
  const random = createPythonRandom(1234);
  const count = before.length;
  const differences: number[] = [];
  for (let draw = 0; draw < ITERATIONS; draw++) {
    let [a, b] = [0, 0];
    for (let at = 0; at < count; at++) {
      const index = Math.floor(random.random() * count);
      a += before[index]!;
      b += after[index]!;
    }
    differences.push(Math.exp(-b / count) - Math.exp(-a / count));
  }
  differences.sort((a, b) => a - b);
  return {
    difference: Math.exp(-mean(after)) - Math.exp(-mean(before)),
    low: differences[Math.floor(ITERATIONS * 0.025)]!,
    high: differences[Math.ceil(ITERATIONS * 0.975) - 1]!,
  };
}
