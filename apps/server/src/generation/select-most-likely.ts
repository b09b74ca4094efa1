import type { GeneratedSequence } from '@gptj-cloud/decoding';

/**
 * `best_of`: the `count` sequences with the highest log-probability per token, best first. Sequences keep their order
 * where there are no more than `count`.
 */
export function selectMostLikely(sequences: readonly GeneratedSequence[], count: number): readonly GeneratedSequence[] {
  if (sequences.length <= count) return sequences;
  const mean = ({ logprobs = [] }: GeneratedSequence): number =>
    logprobs.reduce((sum, { logprob }) => sum + logprob, 0) / Math.max(1, logprobs.length);
  return sequences
    .map((sequence) => ({ sequence, score: mean(sequence) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, count)
    .map(({ sequence }) => sequence);
}
