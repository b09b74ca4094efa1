import type { Hypothesis } from './beam.ts';

/** The best finished hypotheses of a search (`BeamHypotheses` of transformers up to 4.49), in order of insertion. */
export interface HypothesisHeap {
  readonly capacity: number;
  readonly hypotheses: Hypothesis[];
}

/** Add a hypothesis if the heap is not full or it beats the worst, which is then removed; of equal worst ones the first. */
export function addHypothesis({ capacity, hypotheses }: HypothesisHeap, hypothesis: Hypothesis): void {
  if (hypotheses.length < capacity) {
    hypotheses.push(hypothesis);
    return;
  }
  if (!(hypothesis.score > worstScore(hypotheses))) return;
  hypotheses.push(hypothesis);
  const worst = worstScore(hypotheses);
  hypotheses.splice(
    hypotheses.findIndex(({ score }) => score === worst),
    1,
  );
}

/** Whether the heap is full and no score up to `attainable` beats its worst hypothesis. */
export function isDecided({ capacity, hypotheses }: HypothesisHeap, attainable: number): boolean {
  return hypotheses.length >= capacity && worstScore(hypotheses) >= attainable;
}

/** The best `count` over all heaps, best first; of equal ones those added later come first. */
export function bestHypotheses(heaps: readonly HypothesisHeap[], count: number): readonly Hypothesis[] {
  return heaps
    .flatMap(({ hypotheses }) => hypotheses)
    .sort((a, b) => a.score - b.score)
    .reverse()
    .slice(0, count);
}

function worstScore(hypotheses: readonly Hypothesis[]): number {
  return hypotheses.reduce((worst, { score }) => Math.min(worst, score), Number.POSITIVE_INFINITY);
}
