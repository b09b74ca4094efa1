/**
 * The measure of a generation's cost: computed tokens. These are the positions of the model that its strategy has had
 * evaluated, over all rows: the prompts of all branches, every beam, every candidate, every draft that the caller
 * asked for. Forks share their prefix, which counts once. Never fewer than the prompt's and the returned tokens: the
 * last token of a sequence is chosen, not evaluated.
 *
 * Neither the prefix cache nor the load on the engine changes the count: a cached prompt counts in full, and drafts of
 * the engine's own choice (`Row.drafting`) do not count.
 */
import type { GenerateConfig } from './generate-config.ts';
import type { Row } from './strategy.ts';

/** Positions that the rows of one request add. */
export function countPositions(rows: readonly Row[]): number {
  return rows.reduce((sum, { tokens }) => sum + tokens.length, 0);
}

/** Computed tokens of a generation whose rows had `positions`, and which has returned `generatedTokens` so far. */
export function computedTokens(positions: number, promptLength: number, generatedTokens: number): number {
  return Math.max(positions, promptLength + generatedTokens);
}

/** The largest number of computed tokens that a generation of this configuration can have, however it ends. */
export function maxComputedTokens(config: GenerateConfig, promptLength: number): number {
  const newTokens = Math.max(0, config.maxLength - promptLength);
  const unconditional = config.guidanceScale === 1 ? 0 : (config.negativePromptIds?.length ?? 1);
  const positions = promptLength + unconditional + maxStepPositions(config, newTokens);
  return computedTokens(positions, promptLength, newTokens * config.numReturnSequences);
}

/** Positions of the steps after the prompt. The token at the last position is chosen, not evaluated. */
function maxStepPositions(config: GenerateConfig, newTokens: number): number {
  const steps = Math.max(0, newTokens - 1);
  const branches = config.guidanceScale === 1 ? 1 : 2;
  switch (config.mode) {
    case 'greedy':
    case 'sample':
      if (branches === 1 && config.numReturnSequences === 1) {
        return steps + maxDraftedPositions(config.promptLookupNumTokens, steps);
      }
      return branches * config.numReturnSequences * steps;
    case 'dola':
      return branches * config.numReturnSequences * steps;
    case 'score':
      return 0;
    case 'beam':
    case 'group':
    case 'constrained':
      return branches * config.numBeams * steps;
    case 'beam-sample': {
      // Compat 4.25 runs one search per returned sequence.
      const searches = config.compat === '4.25' ? config.numReturnSequences : 1;
      return branches * searches * config.numBeams * steps;
    }
    case 'contrastive':
      // Every candidate is evaluated before one is chosen, also at the last position.
      return config.topK * newTokens;
    default:
      return config.mode satisfies never;
  }
}

/** Positions of drafts when none is accepted: step after step one token less fits before the limit. */
function maxDraftedPositions(draftTokens: number, steps: number): number {
  const short = Math.min(draftTokens, steps);
  return (short * (short - 1)) / 2 + (steps - short) * draftTokens;
}
