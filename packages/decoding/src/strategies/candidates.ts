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
 * largest ln p - ln(-ln u) (Gumbel-top-k, arXiv 1903.06059). One u per cell of `beams` rows, possible or not, so that
 * the use of the noise stream does not depend on which tokens are forbidden.
 */
export function drawCandidates(
  rows: readonly ScoredRow[],
  beams: number,
  count: number,
  draw: () => number,
): Candidate[] {
  const best = bestOf(count);
  for (const { beam, scores, beamScore } of rows) {
    for (let token = 0; token < scores.length; token++) {
      const uniform = draw();
      const score = addLogprob(beamScore, scores[token]!);
      if (!(score > Number.NEGATIVE_INFINITY)) continue;
      const key = score - Math.log(-Math.log(uniform));
      if (key > best.min()) best.add(key, { beam, token, score });
    }
  }
  const absent = (beams - rows.length) * (rows[0]?.scores.length ?? 0);
  for (let cell = 0; cell < absent; cell++) draw();
  return best.list();
}

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
