/**
 * Differences between the heap-based beam searches of two releases: `BeamSearchScorer` of 4.24 (compat 4.25) and of 4.43
 * (group and constrained search of compat 5.18). L is a length with the prompt, P the prompt's.
 */
import type { Decoding } from './decoding.ts';
import type { HypothesisHeap } from './hypothesis-heap.ts';
import { isDecided } from './hypothesis-heap.ts';

export interface HeapRules {
  /** Candidates per step for `size` beams. */
  readonly candidateCount: (size: number) => number;
  /** Score of a hypothesis of L tokens without its EOS. */
  readonly normalise: (sum: number, length: number, endsInEos: boolean) => number;
  /** Whether the heap is done, given the step's best candidate and the length L before its token. */
  readonly isDone: (heap: HypothesisHeap, bestSum: number, length: number) => boolean;
}

export function heapRules({ config, prompt }: Decoding): HeapRules {
  const { compat, lengthPenalty, earlyStopping, maxLength, eosTokenIds } = config;
  const isFull = (heap: HypothesisHeap) => heap.hypotheses.length >= heap.capacity;
  if (compat === '4.25') {
    return {
      candidateCount: (size) => 2 * size,
      normalise: (sum, length) => sum / length ** lengthPenalty,
      isDone: (heap, bestSum, length) =>
        isFull(heap) && (earlyStopping !== false || isDecided(heap, bestSum / length ** lengthPenalty)),
    };
  }
  return {
    candidateCount: (size) => Math.max(2, 1 + eosTokenIds.length) * size,
    normalise: (sum, length, endsInEos) => sum / (length - prompt.length + (endsInEos ? 1 : 0)) ** lengthPenalty,
    isDone: (heap, bestSum, length) => {
      if (!isFull(heap)) return false;
      if (earlyStopping === true) return true;
      const attainableLength = earlyStopping === 'never' && lengthPenalty > 0 ? maxLength : length + 1;
      return isDecided(heap, bestSum / (attainableLength - prompt.length) ** lengthPenalty);
    },
  };
}
