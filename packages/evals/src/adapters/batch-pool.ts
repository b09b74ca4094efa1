import type { ScoredRequest, ScoreOptions } from '../scoring/token-scorer.ts';

/**
 * Score batches, `concurrency` of them at the same time. `onScored` is called for one batch at a time. The first error ends
 * the others.
 */
export async function scoreBatches(
  batches: readonly (readonly number[])[],
  { concurrency, signal, onScored }: ScoreOptions & { readonly concurrency: number },
  scoreBatch: (batch: readonly number[], signal: AbortSignal) => Promise<readonly ScoredRequest[]>,
): Promise<void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let next = 0;
  let reported: Promise<void> = Promise.resolve();
  const work = async (): Promise<void> => {
    while (next < batches.length) {
      both.throwIfAborted();
      const scored = await scoreBatch(batches[next++]!, both);
      reported = reported.then(() => onScored(scored));
      await reported;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, batches.length) }, work));
  } catch (error) {
    stop.abort(error);
    throw error;
  }
}
