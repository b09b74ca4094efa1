import { applyLogitsProcessors } from '../logits-processor-list.ts';
import type { NoiseStream } from '../noise.ts';
import type { Beam, BeamSearch, BeamStep, Candidate } from './beam.ts';
import { allowedCandidates, closeBeam, extendBeam, startBeams } from './beam.ts';
import { drawCandidates, type ScoredRow, topCandidates } from './candidates.ts';
import { chargeRows, type Decoding } from './decoding.ts';
import { type HeapRules, heapRules } from './heap-rules.ts';
import { addHypothesis, bestHypotheses, type HypothesisHeap } from './hypothesis-heap.ts';

interface Group {
  readonly heap: HypothesisHeap;
  beams: readonly (Beam & { readonly row: number })[];
  isDone: boolean;
}

/**
 * Beam search with a heap of finished hypotheses, as in transformers up to 4.49: beam search and beam sampling of
 * compat 4.25, group (diverse) beam search of both versions (arXiv 1610.02424).
 *
 * At each step the groups choose one after the other, each penalised for the tokens that earlier groups chose. Under compat 4.25 all groups
 * share one heap and end together; later each has its own, and a group that ended continues to emit pad tokens, which
 * count for the penalty. `stream`: the noise stream of a sampling search.
 */
export function heapBeamSearch(decoding: Decoding, stream: number): BeamSearch {
  const { prompt, config, noise } = decoding;
  const { compat, numBeams, numBeamGroups } = config;
  const size = numBeams / numBeamGroups;
  const rules = heapRules(decoding);
  const noiseStream = config.doSample ? noise.stream(stream) : null;
  const shared: HypothesisHeap = { capacity: numBeams, hypotheses: [] };
  // Sampling starts every beam at score 0; elsewhere all but the first of a group are copies.
  const start = startBeams(prompt, size).map((beam) => (noiseStream === null ? beam : { ...beam, score: 0 }));
  const groups = Array.from(
    { length: numBeamGroups },
    (_, index): Group => ({
      heap: compat === '4.25' ? shared : { capacity: size, hypotheses: [] },
      beams: start.map((beam, at) => ({ ...beam, row: index * size + at })),
      isDone: false,
    }),
  );

  const beams = () => groups.flatMap((group) => group.beams);

  return {
    beams,
    advance: (step) => {
      const chosen: number[] = [];
      const pad = config.padTokenId ?? config.eosTokenIds[0];
      for (const group of groups) {
        if (group.isDone) {
          if (pad !== undefined) chosen.push(...new Array<number>(size).fill(pad));
          continue;
        }
        const rows = group.beams.map(({ row }) => ({ ...step.rows[row]!, chosenByEarlierGroups: [...chosen] }));
        const candidates = allowedCandidates(
          chooseCandidates(decoding, group, rows, rules.candidateCount(size), size, noiseStream),
        );
        const isDecided = advanceGroup(decoding, rules, group, candidates, size, step);
        chosen.push(...group.beams.map(({ sequence }) => sequence.at(-1)!));
        if (isDecided && group.heap === shared) for (const other of groups) other.isDone = true;
      }
      renumber(groups);
      if (isOver(decoding, groups)) endRunning(decoding, rules, groups);
    },
    finish: () =>
      bestHypotheses(
        compat === '4.25' ? [shared] : groups.map(({ heap }) => heap),
        // Under compat 4.25 each sampled sequence has a search of its own.
        noiseStream === null ? config.numReturnSequences : 1,
      ),
    warnings: () => [],
  };
}

function chooseCandidates(
  decoding: Decoding,
  { beams }: Group,
  rows: BeamStep['rows'],
  count: number,
  size: number,
  noiseStream: NoiseStream | null,
): readonly Candidate[] {
  const { processors } = decoding;
  const charge = (steps: number) => chargeRows(decoding, steps);
  if (noiseStream === null) {
    applyLogitsProcessors(processors, rows);
    return topCandidates(
      rows.map(({ scores }, at): ScoredRow => ({ beam: at, scores, beamScore: beams[at]!.score })),
      count,
      charge,
    );
  }
  // Compat 4.25 warps the sum of log-probability and beam score and carries the warped value on, so that a temperature
  // acts again at every step.
  processors.process(rows);
  for (const [at, { scores }] of rows.entries()) {
    const { score } = beams[at]!;
    for (let token = 0; token < scores.length; token++) scores[token] = scores[token]! + score;
  }
  charge(2 * rows.reduce((sum, { scores }) => sum + scores.length, 0));
  processors.warp(rows);
  const scored = rows.map(({ scores }, at): ScoredRow => ({ beam: at, scores, beamScore: 0 }));
  return drawCandidates(scored, size, count, noiseStream, charge).sort((a, b) => b.score - a.score);
}

/** Candidates that are EOS become hypotheses, the others become the group's next beams. */
function advanceGroup(
  decoding: Decoding,
  rules: HeapRules,
  group: Group,
  candidates: readonly Candidate[],
  size: number,
  step: BeamStep,
): boolean {
  const { config, stop } = decoding;
  const before = group.beams;
  const length = before[0]!.sequence.length;
  chargeRows(decoding, 4 * size * length);
  const groupStep: BeamStep = { ...step, report: (beam, token) => step.report(before[beam]!.row, token) };
  step.consider?.(candidates.map((candidate) => ({ ...candidate, beam: before[candidate.beam]!.row })));
  const next: Beam[] = [];
  for (const [rank, candidate] of candidates.entries()) {
    if (next.length === size) break;
    if (!stop.isEos(candidate.token)) {
      next.push(extendBeam(before, candidate, groupStep));
    } else if (rank < size) {
      // The output contains the first EOS id, whichever EOS was chosen.
      const token = config.eosTokenIds[0]!;
      addHypothesis(group.heap, {
        beam: extendBeam(before, { ...candidate, token }, groupStep),
        score: rules.normalise(candidate.score, length, true),
        finishReason: 'eos',
      });
    }
  }
  const bestSum = candidates.reduce((best, { score }) => Math.max(best, score), Number.NEGATIVE_INFINITY);
  const isDecided = rules.isDone(group.heap, bestSum, length);
  group.isDone = next.length === 0 || isDecided;
  group.beams = next.map((beam) => {
    const parent = before[beam.parent]!.row;
    return { ...beam, parent, beamIndices: [...beam.beamIndices.slice(0, -1), parent], row: 0 };
  });
  return isDecided;
}

/** Beams of groups that are done are not scored any more. */
function renumber(groups: readonly Group[]): void {
  let row = 0;
  for (const group of groups) {
    group.beams = group.isDone ? [] : group.beams.map((beam) => ({ ...beam, row: row++ }));
  }
}

/** Under compat 4.25 the search ends when the best beam meets a criterion; later all beams must meet one. */
function isOver({ config, stop }: Decoding, groups: readonly Group[]): boolean {
  const beams = groups.flatMap((group) => group.beams);
  const checked = config.compat === '4.25' ? beams.slice(0, 1) : beams;
  return checked.every(({ sequence }) => stop.reasonToStop(sequence) !== null);
}

function endRunning({ stop, config }: Decoding, rules: HeapRules, groups: readonly Group[]): void {
  const first = groups.flatMap((group) => group.beams)[0];
  const reason = (first && stop.reasonToStop(first.sequence)) ?? 'length';
  for (const group of groups) {
    for (const beam of group.beams) {
      addHypothesis(group.heap, {
        beam: closeBeam(beam, config),
        score: rules.normalise(beam.score, beam.sequence.length, false),
        finishReason: stop.reasonToStop(beam.sequence) ?? reason,
      });
    }
    group.isDone = true;
    group.beams = [];
  }
}
