import type { NoiseStream, UniformStream } from '../noise.ts';
import { cellWord, type DrawKey, gumbelBound, gumbelNoise, rowKey } from '../numerics/cell-noise.ts';
import { addLogprob, type Candidate } from './beam.ts';

/** Scores of one beam's row, and the score of the beam, which is added to each of them. */
export interface ScoredRow {
  readonly beam: number;
  readonly scores: Float32Array;
  readonly beamScore: number;
}

/** The best `count` cells over all rows, best first; ties by beam, then token. Fewer when fewer are possible. */
export function topCandidates(rows: readonly ScoredRow[], count: number): Candidate[] {
  const best = bestOf(count);
  for (const { beam, scores, beamScore } of rows) {
    for (let token = 0; token < scores.length; token++) {
      const score = addLogprob(beamScore, scores[token]!);
      if (score > best.min()) best.add(score, { beam, token, score });
    }
  }
  return best.list();
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
): Candidate[] {
  const best = bestOf(count);
  if (noise.kind === 'keyed') addByKey(best, rows, noise.next());
  else addByNumber(best, rows, beams, noise);
  return best.list();
}

function addByKey(best: BestOf, rows: readonly ScoredRow[], draw: DrawKey): void {
  for (const { beam, scores, beamScore } of rows) {
    const key = rowKey(draw, beam);
    for (let token = 0; token < scores.length; token++) {
      const score = addLogprob(beamScore, scores[token]!);
      if (!(score > Number.NEGATIVE_INFINITY)) continue;
      const word = cellWord(key, token);
      if (score + gumbelBound(word) <= best.min()) continue;
      const sum = score + gumbelNoise(word, key);
      if (sum > best.min()) best.add(sum, { beam, token, score });
    }
  }
}

function addByNumber(best: BestOf, rows: readonly ScoredRow[], beams: number, noise: UniformStream): void {
  for (const { beam, scores, beamScore } of rows) {
    for (let token = 0; token < scores.length; token++) {
      const uniform = noise.next();
      const score = addLogprob(beamScore, scores[token]!);
      if (!(score > Number.NEGATIVE_INFINITY)) continue;
      const sum = score - Math.log(-Math.log(uniform));
      if (sum > best.min()) best.add(sum, { beam, token, score });
    }
  }
  const absent = (beams - rows.length) * (rows[0]?.scores.length ?? 0);
  for (let cell = 0; cell < absent; cell++) noise.next();
}

type BestOf = ReturnType<typeof bestOf>;

/** The `count` entries with the largest keys; of equal keys the first ones. */
function bestOf(count: number) {
  const keys: number[] = [];
  const entries: Candidate[] = [];
  return {
    /** Threshold: larger keys enter the list. */
    min: () => (keys.length < count ? Number.NEGATIVE_INFINITY : keys[count - 1]!),
    add: (key: number, entry: Candidate) => {
      let at = keys.length;
      while (at > 0 && keys[at - 1]! < key) at--;
      keys.splice(at, 0, key);
      entries.splice(at, 0, entry);
      if (keys.length > count) {
        keys.pop();
        entries.pop();
      }
    },
    list: () => entries,
  };
}
