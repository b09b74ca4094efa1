import type { GenerateConfig } from '../generate-config.ts';
import type { BeamCandidate } from '../generate-outcome.ts';
import { LIMITS } from '../parameters/parameter-context.ts';
import type { WorkBudget } from '../work-budget.ts';
import { type Beam, type Candidate, isCopy } from './beam.ts';

/** Collects `output_beams`: what every step of the searches considered. */
export interface BeamTrace {
  /** The next step begins. */
  readonly startStep: () => void;
  /**
   * A search has chosen its next beams. `base` is the row of its first beam in this step, `considered` are its candidates
   * with the rows of that search.
   */
  readonly record: (base: number, considered: readonly Candidate[], kept: readonly Beam[]) => void;
  /** The step that was recorded last; null without `output_beams`. */
  readonly newest: () => readonly BeamCandidate[] | null;
  readonly collected: () => { readonly beams?: readonly (readonly BeamCandidate[])[] };
}

/** Steps of work for one candidate. */
const CANDIDATE_STEPS = 60;

export function beamTrace({ output, numBeams }: GenerateConfig, budget: WorkBudget): BeamTrace {
  if (!output.beams) return NO_TRACE;
  const steps: BeamCandidate[][] = [];
  return {
    startStep: () => steps.push([]),
    record(base, considered, kept) {
      const step = steps.at(-1) ?? [];
      const seen = new Set<string>();
      const add = (candidate: Candidate, isKept: boolean): void => {
        const { beam, token, score } = candidate;
        const key = `${beam} ${token}`;
        if (seen.has(key)) return;
        seen.add(key);
        step.push({ parent: base + beam, token, score, kept: isKept });
      };
      for (const { parent, sequence, score } of kept) add({ beam: parent, token: sequence.at(-1)!, score }, true);
      const most = LIMITS.candidatesPerBeam * numBeams;
      // Candidates of copies of the prompt repeat those of the first beam.
      for (const candidate of considered) {
        if (seen.size >= most) break;
        if (candidate.score > Number.NEGATIVE_INFINITY && !isCopy(candidate)) add(candidate, false);
      }
      budget.charge('output_beams', CANDIDATE_STEPS * (considered.length + kept.length));
    },
    newest: () => steps.at(-1) ?? null,
    collected: () => ({ beams: steps }),
  };
}

const NO_TRACE: BeamTrace = {
  startStep: () => {},
  record: () => {},
  newest: () => null,
  collected: () => ({}),
};
