import { largestOf } from '../numerics/log-softmax.ts';
import { nthLargest } from '../numerics/ranking.ts';
import { dropBelow } from './cutoff.ts';

/** Forbid tokens less likely than `p` times the likeliest (arXiv 2407.01082), but leave at least `keep`. Returns the steps. */
export function keepMinP(scores: Float32Array, p: number, keep: number): number {
  dropBelow(scores, Math.min(largestOf(scores) + Math.log(p), nthLargest(scores, keep)));
  return 4 * scores.length;
}
