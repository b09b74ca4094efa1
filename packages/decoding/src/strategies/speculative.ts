import type { TokenId } from '@gptj-cloud/model';
import { findDraft } from '../find-draft.ts';
import type { GenerateOutcome } from '../generate-outcome.ts';
import type { Row, Strategy } from '../strategy.ts';
import { STEPS, type WorkBudget } from '../work-budget.ts';
import type { Decoding } from './decoding.ts';
import { prefill } from './rows.ts';
import { choose, outcomeOf, startRows, toFinalTokens } from './sample.ts';

/** Tokens of a given continuation in one request. */
const MAX_GIVEN = 32;

/**
 * Greedy decoding or sampling of one sequence, in which one request can score several positions: those of a draft, the
 * tokens that are expected next. Tokens are chosen position by position as without drafts, and a draft is followed for as
 * long as it agrees, so the result is the same token for token.
 *
 * A draft is the given continuation, which always agrees; with `prompt_lookup_num_tokens`, what followed the last tokens
 * where they occurred before; else the driver's.
 */
export function* speculative(decoding: Decoding): Strategy<GenerateOutcome> {
  const { config, stop, recorder, budget, guess } = decoding;
  const [row] = startRows(decoding);
  const { row: afterPrompt, promptLogprobs } = yield* prefill(decoding);
  stop.tick();
  recorder.startStep(1);
  const stepsBefore = budget.stepsOfEvaluation();
  let tokens = [choose(decoding, row!, afterPrompt)];
  let stepsOfToken = budget.stepsOfEvaluation() - stepsBefore;
  while (row!.finishReason === null) {
    const { sequence } = row!;
    // No draft after the last position before the limit.
    const room = Math.max(0, Math.min(config.maxLength - sequence.length - 1, affordableDraft(budget, stepsOfToken)));
    const own = ownDraft(decoding, sequence, room);
    const drafting = {
      sequence,
      maxTokens: room,
      remaining: config.maxLength - sequence.length,
      guess: (logits: Float32Array, draft: readonly TokenId[]) =>
        draft.length > 0 && stop.isEos(draft.at(-1)!) ? null : guess(logits, [...sequence, ...draft]),
    };
    const request: Row = {
      from: 0,
      keep: sequence.length - 1,
      tokens: [sequence.at(-1)!, ...(own ?? [])],
      scored: 'all',
      ...(own === null && room > 0 ? { drafting } : {}),
    };
    const result = yield { rows: [request], finalTokens: [toFinalTokens(row!, tokens)] };
    const draft = own ?? result[0]!.drafted ?? [];
    stop.tick();
    tokens = [];
    for (const [at, logits] of result[0]!.logits.entries()) {
      recorder.startStep(1);
      const before = budget.stepsOfEvaluation();
      const token = choose(decoding, row!, { logits, layers: [] });
      stepsOfToken = Math.max(stepsOfToken, budget.stepsOfEvaluation() - before);
      tokens.push(token);
      if (row!.finishReason !== null || token !== draft[at]) break;
    }
  }
  return outcomeOf(decoding, [row!], promptLogprobs);
}

/** The draft that the request asks for, at most `room` tokens; null: the driver may choose one. */
function ownDraft(
  { prompt, config, budget }: Decoding,
  sequence: readonly TokenId[],
  room: number,
): readonly TokenId[] | null {
  const { continuation, promptLookupNumTokens, maxMatchingNgramSize } = config;
  if (continuation !== null) {
    return continuation.slice(sequence.length - prompt.length).slice(0, Math.min(room, MAX_GIVEN));
  }
  if (promptLookupNumTokens === 0) return null;
  budget.charge('prompt_lookup_num_tokens', STEPS.exp * sequence.length);
  return findDraft(sequence, 1, maxMatchingNgramSize, Math.min(promptLookupNumTokens, room));
}

/** Drafts never make an evaluation too costly: the tokens that one may choose within half of its budget. */
function affordableDraft({ limits }: WorkBudget, stepsOfToken: number): number {
  return Math.floor(limits.stepsPerEvaluation / 2 / Math.max(stepsOfToken, 1)) - 1;
}
