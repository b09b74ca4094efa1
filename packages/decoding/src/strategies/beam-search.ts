import { applyLogitsProcessors } from '../logits-processor-list.ts';
import type { Beam, BeamSearch, BeamStep, Candidate, Hypothesis } from './beam.ts';
import { allowedCandidates, extendBeam, startBeams } from './beam.ts';
import { drawCandidates, type ScoredRow, topCandidates } from './candidates.ts';
import { chargeRows, type Decoding } from './decoding.ts';

/**
 * Beam search and beam sampling as in transformers from 4.50 on (`_beam_search` of 5.18.0).
 *
 * Each step takes the best candidates over all beams (or draws them), enough of them that `num_beams` remain when the
 * others end. Those that end, by EOS or any stopping criterion, compete for the `num_beams` places of finished
 * hypotheses if they were among the first `num_beams` candidates; the best others continue.
 */
export function beamSearch(decoding: Decoding): BeamSearch {
  const { prompt, config, processors, stop, noise } = decoding;
  const { numBeams, lengthPenalty, earlyStopping, maxLength, eosTokenIds } = config;
  const candidateCount = Math.max(2, 1 + eosTokenIds.length) * numBeams;
  const noiseStream = config.doSample ? noise.stream(0) : null;
  let beams: readonly Beam[] = startBeams(prompt, numBeams);
  let finished: readonly Hypothesis[] = [];

  const charge = (steps: number) => chargeRows(decoding, steps);
  const isFull = () => finished.length === numBeams;

  function chooseCandidates({ rows }: BeamStep): readonly Candidate[] {
    applyLogitsProcessors(processors, rows);
    const scored = rows.map(({ scores }, beam): ScoredRow => ({ beam, scores, beamScore: beams[beam]!.score }));
    return noiseStream === null
      ? topCandidates(scored, candidateCount, charge)
      : drawCandidates(scored, numBeams, candidateCount, noiseStream, charge);
  }

  function finishHypotheses(ended: readonly Hypothesis[]): void {
    // A stable sort: of equal hypotheses the earlier stay.
    finished = [...finished, ...ended].sort((a, b) => b.score - a.score).slice(0, numBeams);
  }

  /** Whether the best running beam could still beat the worst finished hypothesis, by the criterion of `early_stopping`. */
  function mayImprove(best: Beam): boolean {
    const worst = finished.at(-1);
    if (!isFull() || worst === undefined) return true;
    const length = earlyStopping === 'never' && lengthPenalty > 0 ? maxLength : best.sequence.length;
    return best.score / (length - prompt.length) ** lengthPenalty > worst.score;
  }

  return {
    beams: () => beams,
    advance: (step) => {
      const before = beams;
      const length = before[0]!.sequence.length + 1 - prompt.length;
      charge(4 * numBeams * before[0]!.sequence.length);
      const running: Candidate[] = [];
      const ended: Hypothesis[] = [];
      const candidates = allowedCandidates(chooseCandidates(step));
      step.consider?.(candidates);
      for (const [rank, candidate] of candidates.entries()) {
        const finishReason = stop.reasonAfter(before[candidate.beam]!.sequence, candidate.token);
        if (finishReason === null) running.push(candidate);
        else if (rank < numBeams) {
          const beam = extendBeam(before, candidate, step);
          ended.push({ beam, score: candidate.score / length ** lengthPenalty, finishReason });
        }
      }
      // Drawn candidates come in the order of the draw; beams are kept by score.
      running.sort((a, b) => b.score - a.score);
      finishHypotheses(ended);
      beams = running.slice(0, numBeams).map((candidate) => extendBeam(before, candidate, step));
      const best = beams[0];
      if (best === undefined || !mayImprove(best) || (isFull() && earlyStopping === true)) beams = [];
    },
    finish: () => finished.slice(0, config.numReturnSequences),
    warnings: () => [],
  };
}
