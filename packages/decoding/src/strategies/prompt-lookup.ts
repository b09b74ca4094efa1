import type { TokenId } from '@gptj-cloud/model';
import type { DraftPolicy } from '../draft-policy.ts';
import type { GenerateOutcome } from '../generate-outcome.ts';
import type { ScoreRequest, Strategy } from '../strategy.ts';
import { STEPS, type WorkBudget } from '../work-budget.ts';
import type { Decoding } from './decoding.ts';
import { prefill } from './rows.ts';
import { choose, outcomeOf, startRows, toFinalTokens } from './sample.ts';

/** Weight of the newest draft in the moving average of the acceptance (share of accepted draft tokens). */
const SMOOTHING = 0.3;
/** Assumed acceptance of the first draft. */
const FIRST_ACCEPTANCE = 0.4;
/** Share of the distance to FIRST_ACCEPTANCE that the estimate recovers in each step without a draft. */
const ACCEPTANCE_RECOVERY = 0.01;
/** Without `prompt_lookup_num_tokens`, only a repetition of at least this many tokens is drafted from. */
const MIN_NGRAM = 8;
const MAX_NGRAM = 8;
/** Tokens of a given continuation in one request. */
const MAX_GIVEN = 32;

/**
 * Greedy decoding or sampling of one sequence, with drafts from the text itself: where the last tokens occurred
 * before, the tokens that followed them there are scored in the same request. Tokens are chosen position by position as without
 * drafts, and a draft is followed for as long as it agrees, so the result is the same token for token.
 *
 * `prompt_lookup_num_tokens` sets the length of drafts, else `policy`. A given continuation is a draft that always agrees.
 */
export function* promptLookup(decoding: Decoding, policy: DraftPolicy | null): Strategy<GenerateOutcome> {
  const { prompt, config, stop, recorder, budget } = decoding;
  const [row] = startRows(decoding);
  const { row: afterPrompt, promptLogprobs } = yield* prefill(decoding);
  stop.tick();
  recorder.startStep(1);
  let acceptance = FIRST_ACCEPTANCE;
  const stepsBefore = budget.stepsOfEvaluation();
  let tokens = [choose(decoding, row!, afterPrompt)];
  let stepsOfToken = budget.stepsOfEvaluation() - stepsBefore;
  while (row!.finishReason === null) {
    const { sequence } = row!;
    // No draft after the last position before the limit.
    const room = Math.min(config.maxLength - sequence.length - 1, affordableDraft(budget, stepsOfToken));
    budget.charge('prompt_lookup_num_tokens', STEPS.exp * sequence.length);
    const draft =
      config.continuation !== null
        ? config.continuation.slice(sequence.length - prompt.length).slice(0, Math.max(0, Math.min(room, MAX_GIVEN)))
        : policy === null
          ? findDraft(sequence, 1, config.maxMatchingNgramSize, Math.min(config.promptLookupNumTokens, room))
          : findDraft(sequence, MIN_NGRAM, MAX_NGRAM, Math.min(policy.draftTokens(acceptance), room));
    const drafted = policy === null || config.continuation !== null ? 0 : draft.length;
    const request: ScoreRequest = {
      rows: [{ from: 0, keep: sequence.length - 1, tokens: [sequence.at(-1)!, ...draft], drafted, scored: 'all' }],
      finalTokens: [toFinalTokens(row!, tokens)],
    };
    const result = yield request;
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
    acceptance +=
      draft.length === 0
        ? ACCEPTANCE_RECOVERY * (FIRST_ACCEPTANCE - acceptance)
        : SMOOTHING * ((tokens.length - 1) / draft.length - acceptance);
  }
  return outcomeOf(decoding, [row!], promptLogprobs);
}

/** Drafts never make an evaluation too costly: the tokens that one may choose within half of its budget. */
function affordableDraft({ limits }: WorkBudget, stepsOfToken: number): number {
  return Math.floor(limits.stepsPerEvaluation / 2 / Math.max(stepsOfToken, 1)) - 1;
}

/**
 * Up to `maxTokens` tokens that followed the first earlier occurrence of the longest n-gram (`minNgram` to `maxNgram`
 * tokens) that ends the sequence. Linear in the length of the sequence, whatever the length of the n-gram.
 */
export function findDraft(
  sequence: readonly TokenId[],
  minNgram: number,
  maxNgram: number,
  maxTokens: number,
): readonly TokenId[] {
  if (maxTokens <= 0) return [];
  const shared = sharedEndings(sequence);
  let longest = 0;
  let after = 0;
  // The first place among those of the longest n-gram.
  for (let end = 1; end < sequence.length; end++) {
    const size = Math.min(shared[end]!, maxNgram);
    if (size <= longest) continue;
    longest = size;
    after = end;
  }
  return longest < minNgram || longest === 0 ? [] : sequence.slice(after, after + maxTokens);
}

/**
 * For every `end`, how many of the last tokens before `end` equal the last tokens of the sequence: the Z function of the
 * sequence read backwards.
 */
function sharedEndings(sequence: readonly TokenId[]): Int32Array {
  const { length } = sequence;
  const shared = new Int32Array(length + 1);
  // Positions count from the end; [from, to) is the match that reaches farthest.
  let from = 0;
  let to = 0;
  for (let at = 1; at < length; at++) {
    let size = at < to ? Math.min(to - at, shared[length - (at - from)]!) : 0;
    while (at + size < length && sequence[length - 1 - size] === sequence[length - 1 - at - size]) size++;
    if (at + size > to) {
      from = at;
      to = at + size;
    }
    shared[length - at] = size;
  }
  return shared;
}
