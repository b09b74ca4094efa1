import type { NoiseStream, UniformStream } from '../noise.ts';
import { cellWord, type DrawKey, gumbelBound, gumbelNoise, rowKey } from '../numerics/cell-noise.ts';
import { type Charge, STEPS } from '../work-budget.ts';
import { addLogprob, type Candidate } from './beam.ts';
import { BestCandidates } from './best-candidates.ts';

/** Scores of one beam's row, and the score of the beam, which is added to each of them. */
export interface ScoredRow {
  readonly beam: number;
  readonly scores: Float32Array;
  readonly beamScore: number;
}

/** Steps of sorting a candidate, and of what a search does with it. */
const CANDIDATE_STEPS = 2500;

/** The best `count` cells over all rows, best first; ties by beam, then token. Fewer when fewer are possible. */
export function topCandidates(rows: readonly ScoredRow[], count: number, charge: Charge): Candidate[] {
  const best = new BestCandidates(count);
  for (const { beam, scores, beamScore } of rows) {
    for (let token = 0; token < scores.length; token++) {
      const score = addLogprob(beamScore, scores[token]!);
      if (score > best.min) best.add(score, beam, token, score);
    }
    charge(3 * scores.length + best.takeSteps());
  }
  return chargedList(best, charge);
}

/**
 * Draw `count` cells without replacement from softmax over all rows, in the order of the draw: the cells with the
 * largest sums of ln p and Gumbel noise (Gumbel-top-k, arXiv 1903.06059).
 *
 * A uniform stream gives one number per cell of `beams` rows, possible or not, so that the use of the stream does not
 * depend on which tokens are forbidden.
 */
export function drawCandidates(
  rows: readonly ScoredRow[],
  beams: number,
  count: number,
  noise: NoiseStream,
  charge: Charge,
): Candidate[] {
  const best = new BestCandidates(count);
  if (noise.kind === 'keyed') addByKey(best, rows, noise.next(), charge);
  else addByNumber(best, rows, beams, noise);
  return chargedList(best, charge);
}

function chargedList(best: BestCandidates, charge: Charge): Candidate[] {
  const list = best.list();
  charge(CANDIDATE_STEPS * list.length);
  return list;
}

function addByKey(best: BestCandidates, rows: readonly ScoredRow[], draw: DrawKey, charge: Charge): void {
  for (const { beam, scores, beamScore } of rows) {
    const key = rowKey(draw, beam);
    let possible = 0;
    for (let token = 0; token < scores.length; token++) {
      const score = addLogprob(beamScore, scores[token]!);
      if (!(score > Number.NEGATIVE_INFINITY)) continue;
      possible++;
      const word = cellWord(key, token);
      if (score + gumbelBound(word) <= best.min) continue;
      const sum = score + gumbelNoise(word, key);
      if (sum > best.min) best.add(sum, beam, token, score);
    }
    charge(2 * scores.length + STEPS.random * possible + best.takeSteps());
  }
}

function addByNumber(best: BestCandidates, rows: readonly ScoredRow[], beams: number, noise: UniformStream): void {
  for (const { beam, scores, beamScore } of rows) {
    for (let token = 0; token < scores.length; token++) {
      const uniform = noise.next();
      const score = addLogprob(beamScore, scores[token]!);
      if (!(score > Number.NEGATIVE_INFINITY)) continue;
      const sum = score - Math.log(-Math.log(uniform));
      if (sum > best.min) best.add(sum, beam, token, score);
    }
  }
  const absent = (beams - rows.length) * (rows[0]?.scores.length ?? 0);
  for (let cell = 0; cell < absent; cell++) noise.next();
}
