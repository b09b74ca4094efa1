/**
 * The bootstrap of lm-evaluation-harness for the standard error of a perplexity: chunk i draws 1,000 samples with
 * `random.Random(i)`, so the error is the same number on every machine.
 */
import { createPythonRandom } from '../python/python-random.ts';
import { sampleDeviation } from './mean.ts';

const CHUNK = 1000;
const BOOTSTRAP_ITERATIONS = 100_000;

export interface BootstrapOptions {
  /** Default 100,000. */
  readonly iterations?: number;
  /** Between chunks, so that a caller can show progress and abort. */
  readonly onChunk?: (done: number, total: number) => Promise<void>;
}

/** Standard deviation of exp(-mean) over samples of the items with replacement. */
export async function bootstrapPerplexityError(
  logLikelihoods: readonly number[],
  { iterations = BOOTSTRAP_ITERATIONS, onChunk }: BootstrapOptions = {},
): Promise<number> {
  const items = Float64Array.from(logLikelihoods);
  const size = Math.min(CHUNK, iterations);
  const chunks = Math.floor(iterations / size);
  const values: number[] = [];
  for (let chunk = 0; chunk < chunks; chunk++) {
    await onChunk?.(chunk, chunks);
    const random = createPythonRandom(chunk);
    for (let draw = 0; draw < size; draw++) {
      let sum = 0;
      for (let at = 0; at < items.length; at++) sum += items[Math.floor(random.random() * items.length)]!;
      values.push(Math.exp(-(sum / items.length)));
    }
  }
  return sampleDeviation(values);
}
