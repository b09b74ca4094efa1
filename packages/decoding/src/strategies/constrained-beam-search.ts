import { applyLogitsProcessors } from '../logits-processor-list.ts';
import { STEPS } from '../work-budget.ts';
import type { Beam, BeamSearch, BeamStep, Candidate } from './beam.ts';
import { addLogprob, allowedCandidates, closeBeam, extendBeam, startBeams } from './beam.ts';
import { topCandidates } from './candidates.ts';
import {
  addToken,
  advancingTokens,
  bankOf,
  type ConstraintState,
  constraintStates,
  idsOf,
  isComplete,
  lengthOf,
} from './constraint-state.ts';
import { chargeRows, type Decoding } from './decoding.ts';
import { heapRules } from './heap-rules.ts';
import { addHypothesis, bestHypotheses, type HypothesisHeap } from './hypothesis-heap.ts';

/** A candidate and the progress of the constraints after it. */
interface Placed extends Candidate {
  readonly state: ConstraintState;
}

/**
 * Constrained beam search (grouped by progress, after arXiv 1804.06609) as in transformers 4.24 to 4.56.
 *
 * Besides the best candidates, every beam proposes the tokens that advance its constraints. All proposals are
 * grouped into banks by progress, and the next beams are selected from the banks round-robin, best bank first. A
 * hypothesis that ends counts only if it meets every constraint; at the length limit, others fill the missing places.
 */
export function constrainedBeamSearch(decoding: Decoding): BeamSearch {
  const { prompt, config, processors, stop } = decoding;
  const { numBeams, constraints, numReturnSequences } = config;
  const rules = heapRules(decoding);
  const longest = Math.max(...constraints.map(lengthOf));
  const numberOfIds = constraints.reduce((sum, constraint) => sum + idsOf(constraint), 0);
  const heap: HypothesisHeap = { capacity: numBeams, hypotheses: [] };
  let beams: readonly Beam[] = startBeams(prompt, numBeams);

  const charge = (steps: number) => decoding.budget.charge('constraints', steps);
  const states = constraintStates(constraints, charge);
  const stateAfter = states.after;

  /** The next beams by score alone; ended ones go to the heap. */
  function chooseNext(candidates: readonly Candidate[], step: BeamStep): Placed[] {
    charge((STEPS.map + numberOfIds) * candidates.length);
    const next: Placed[] = [];
    for (const [rank, candidate] of candidates.entries()) {
      if (next.length === numBeams) break;
      const { sequence } = beams[candidate.beam]!;
      if (!stop.isEos(candidate.token)) {
        next.push({ ...candidate, state: addToken(stateAfter(sequence), candidate.token) });
      } else if (rank < numBeams && isComplete(stateAfter(sequence))) {
        endWithEos(candidate, step);
      }
    }
    return next;
  }

  function endWithEos(candidate: Candidate, step: BeamStep): void {
    // The output contains the first EOS id, whichever EOS was chosen.
    const token = config.eosTokenIds[0]!;
    addHypothesis(heap, {
      beam: extendBeam(beams, { ...candidate, token }, step),
      score: rules.normalise(candidate.score, beams[candidate.beam]!.sequence.length, true),
      finishReason: 'eos',
    });
  }

  /** `next` and every advancing token of every beam that is not among them. */
  function withAdvances(next: readonly Placed[], { rows }: BeamStep): Placed[] {
    const placed = [...next];
    // Copies of one beam would all propose the same sequence.
    const originals = firstEqualBeams(beams);
    const known = new Set(placed.map(({ beam, token }) => `${originals[beam]} ${token}`));
    for (const [at, { sequence, score }] of beams.entries()) {
      const state = stateAfter(sequence);
      if (isComplete(state)) continue;
      const tokens = advancingTokens(state);
      charge((4 * STEPS.map + numberOfIds) * tokens.length);
      for (const token of tokens) {
        const key = `${originals[at]} ${token}`;
        if (known.has(key)) continue;
        known.add(key);
        const total = addLogprob(score, rows[at]!.scores[token]!);
        placed.push({ beam: at, token, score: total, state: addToken(state, token) });
      }
    }
    return placed;
  }

  /** Round-robin over the banks: the best of each bank, then the second best of each, and so on. */
  function takeFromBanks(placed: readonly Placed[]): readonly Placed[] {
    charge(8 * STEPS.map * placed.length);
    const ranked = placed
      .map((candidate) => {
        const bank = bankOf(candidate.state, longest);
        return { candidate, bank, key: Math.fround(bank * 100 + candidate.score) };
      })
      .sort((a, b) => b.key - a.key);
    let round = -1;
    let bank = ranked[0]?.bank;
    const turns = ranked.map((entry) => {
      round = entry.bank === bank ? round + 1 : 0;
      bank = entry.bank;
      return { ...entry, round };
    });
    return turns
      .sort((a, b) => a.round - b.round)
      .slice(0, numBeams)
      .map(({ candidate }) => candidate);
  }

  function endRunning(): void {
    const reason = stop.reasonToStop(beams[0]!.sequence) ?? 'length';
    const ended = beams.map((beam) => ({ beam, isMet: isComplete(stateAfter(beam.sequence)) }));
    const met = ended.filter(({ isMet }) => isMet);
    const unmet = met.length < numReturnSequences ? ended.filter(({ isMet }) => !isMet) : [];
    for (const { beam } of [...met, ...unmet]) {
      if (!isPossible(beam)) continue;
      addHypothesis(heap, {
        beam: closeBeam(beam, config),
        score: rules.normalise(beam.score, beam.sequence.length, false),
        finishReason: stop.reasonToStop(beam.sequence) ?? reason,
      });
    }
  }

  const finish = () => bestHypotheses([heap], numReturnSequences);

  return {
    beams: () => beams,
    advance: (step) => {
      applyLogitsProcessors(processors, step.rows);
      const length = beams[0]!.sequence.length;
      const candidates = allowedCandidates(
        topCandidates(
          step.rows.map(({ scores }, beam) => ({ beam, scores, beamScore: beams[beam]!.score })),
          rules.candidateCount(numBeams),
          (steps) => chargeRows(decoding, steps),
        ),
      );
      const likeliest = chooseNext(candidates, step);
      const next = withAdvances(likeliest, step);
      step.consider?.(candidates);
      step.consider?.(next);
      const bestSum = candidates[0]?.score ?? Number.NEGATIVE_INFINITY;
      const possible = next.filter(isPossible);
      const isStuck = possible.length === 0;
      // Only EOS is possible: the search ends even with unmet constraints.
      if (isStuck && heap.hypotheses.length < numReturnSequences) {
        for (const candidate of candidates.slice(0, numBeams)) endWithEos(candidate, step);
      }
      if (isStuck || rules.isDone(heap, bestSum, length)) {
        beams = [];
        return;
      }
      const before = beams;
      // Without a proposal the order stays that of the scores.
      const choose = (placed: readonly Placed[]) => (placed.length > likeliest.length ? takeFromBanks(placed) : placed);
      // Forbidden proposals may occupy beams, as in transformers, but never all of them.
      const chosen = choose(next);
      beams = (chosen.some(isPossible) ? chosen : choose(possible)).map((candidate) => {
        const beam = extendBeam(before, candidate, step);
        states.extend(before[candidate.beam]!.sequence, beam.sequence);
        return beam;
      });
      const checked = config.compat === '4.25' ? beams.slice(0, 1) : beams;
      // Constraints may contain an EOS: under compat 4.25 a running beam that ends in one has not ended.
      const ends = config.compat === '4.25' ? stop.criterionMet : stop.reasonToStop;
      if (checked.every(({ sequence }) => ends(sequence) !== null)) {
        endRunning();
        beams = [];
      }
    },
    finish,
    warnings: () => {
      const unmet = finish().filter(({ beam }) => !isComplete(stateAfter(beam.sequence))).length;
      return unmet === 0 ? [] : [`${unmet} of the sequences do not meet every constraint`];
    },
  };
}

/** For every beam, the index of the first beam with the same sequence. */
function firstEqualBeams(beams: readonly Beam[]): readonly number[] {
  return beams.map(({ sequence }) => beams.findIndex((other) => isSameSequence(other.sequence, sequence)));
}

function isSameSequence(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  // From the end: beams that differ have most of their beginning in common.
  let at = a.length;
  if (at !== b.length) return false;
  while (at > 0 && a[at - 1] === b[at - 1]) at--;
  return at === 0;
}

function isPossible({ score }: { readonly score: number }): boolean {
  return score > Number.NEGATIVE_INFINITY;
}
