import type { TokenId } from '@gptj-cloud/model';
import type { GenerateConfig } from '../generate-config.ts';
import type { FinishReason, TokenReport } from '../generate-outcome.ts';
import type { LogitsRow } from '../logits-processor.ts';

/** A partial output that a beam search keeps. */
export interface Beam {
  /** Prompt and generated tokens. */
  readonly sequence: readonly TokenId[];
  /** Sum of the processed log-probabilities. */
  readonly score: number;
  /** Index of its parent among the beams of the previous step. */
  readonly parent: number;
  /** `parent` of every step so far. */
  readonly beamIndices: readonly number[];
  readonly reports: readonly TokenReport[];
}

/** One possible next token of one beam. */
export interface Candidate {
  /** Index of the beam in this step. */
  readonly beam: number;
  readonly token: TokenId;
  /** Accumulated: the beam's score and the token's log-probability. */
  readonly score: number;
}

/** A beam that ended. */
export interface Hypothesis {
  readonly beam: Beam;
  /** Sum of log-probabilities over length ** length_penalty. */
  readonly score: number;
  readonly finishReason: FinishReason;
}

/** One step's rows, in the order of the search's beams. */
export interface BeamStep {
  /** `scores`: log-probabilities, to which the search applies the processors. */
  readonly rows: readonly LogitsRow[];
  /** The model's prediction of a token after a beam; empty without `logprobs`. */
  readonly report: (beam: number, token: TokenId) => readonly TokenReport[];
  /** Gets the candidates among which the search chooses, best first, with the rows of this step as their beams. */
  readonly consider?: (candidates: readonly Candidate[]) => void;
}

/** A beam search as a state machine, without the model: it receives scores and returns the beams to score next. */
export interface BeamSearch {
  /** The beams to score next. Empty: the search is over. */
  readonly beams: () => readonly Beam[];
  readonly advance: (step: BeamStep) => void;
  /** The best hypotheses, best first. */
  readonly finish: () => readonly Hypothesis[];
  /** Remarks on the result of `finish`. */
  readonly warnings: () => readonly string[];
}

/** Score at which transformers starts every beam but the first. */
const COPY_SCORE = -1e9;

/** Scores below this belong to tokens that `remove_invalid_values` raised from -inf to the lowest float32. */
const MIN_POSSIBLE_SCORE = -1e30;

/**
 * The first beams of a search, as transformers starts them: `count` copies of the prompt, of which only the first has
 * score 0. A copy is worse than every candidate of the first beam that the parameters allow, and better than every
 * forbidden one, also after `remove_invalid_values`.
 */
export function startBeams(prompt: readonly TokenId[], count: number): readonly Beam[] {
  return Array.from({ length: count }, (_, index) => ({
    sequence: prompt,
    score: index === 0 ? 0 : COPY_SCORE,
    parent: 0,
    beamIndices: [],
    reports: [],
  }));
}

/**
 * A beam's score after a token of log-probability `logprob`. Copies of the prompt add up in float32, where -1e9 absorbs
 * every log-probability: transformers sees all their candidates as equal.
 */
export function addLogprob(score: number, logprob: number): number {
  return score > COPY_SCORE / 2 && logprob > MIN_POSSIBLE_SCORE ? score + logprob : Math.fround(score + logprob);
}

/** Whether a beam descends from one of the copies that `startBeams` adds. */
export function isCopy({ score }: { readonly score: number }): boolean {
  return score <= COPY_SCORE / 2;
}

/**
 * `candidates` without forbidden tokens, unless only forbidden ones are left. transformers reaches forbidden tokens only
 * after every allowed continuation of every copy.
 */
export function allowedCandidates<C extends { readonly score: number }>(candidates: readonly C[]): readonly C[] {
  const allowed = candidates.filter(({ score }) => score > MIN_POSSIBLE_SCORE);
  return allowed.length === 0 ? candidates : allowed;
}

/** `beams[candidate.beam]` with the candidate's token. */
export function extendBeam(beams: readonly Beam[], { beam, token, score }: Candidate, step: BeamStep): Beam {
  const before = beams[beam]!;
  return {
    sequence: [...before.sequence, token],
    score,
    parent: beam,
    beamIndices: [...before.beamIndices, beam],
    reports: [...before.reports, ...step.report(beam, token)],
  };
}

/**
 * A running beam as the heap searches of transformers end it (`finalize` of 4.24 and 4.43): with the first EOS, if there
 * is room for it. A search step did not choose that EOS: its log-probability is 0 and its beam index -1, as transformers pads them.
 */
export function closeBeam(beam: Beam, { eosTokenIds, maxLength }: GenerateConfig): Beam {
  const [eos] = eosTokenIds;
  if (eos === undefined || eos < 0 || beam.sequence.length >= maxLength) return beam;
  const { sequence, reports, beamIndices } = beam;
  return {
    ...beam,
    sequence: [...sequence, eos],
    beamIndices: [...beamIndices, -1],
    reports: reports.length === 0 ? [] : [...reports, { token: eos, logprob: 0, top: [] }],
  };
}
