import type { TokenId } from '@gptj-cloud/model';
import type { DraftPolicy } from '../draft-policy.ts';
import type { GenerateOutcome } from '../generate-outcome.ts';
import type { ScoreRequest, Strategy } from '../strategy.ts';
import type { Decoding } from './decoding.ts';
import { prefill } from './rows.ts';
import { choose, outcomeOf, startRows, toFinalTokens } from './sample.ts';

/** Weight of the newest draft in the share of drafted tokens that agreed. */
const SMOOTHING = 0.3;
/** Assumed acceptance of the first draft; after rejected drafts the estimate returns to it slowly. */
const FIRST_ACCEPTANCE = 0.4;
const FORGIVENESS = 0.01;
/** Without `prompt_lookup_num_tokens`, only a repetition of at least this many tokens is drafted from. */
const MIN_NGRAM = 8;
const MAX_NGRAM = 8;

/**
 * Greedy decoding or sampling of one sequence, with drafts from the text itself: where the last tokens occurred
 * before, the tokens that followed them there are scored in the same request. Tokens are chosen position by position as without
 * drafts, and a draft is followed for as long as it agrees, so the result is the same token for token.
 *
 * `prompt_lookup_num_tokens` sets the length of drafts, else `policy`.
 */
export function* promptLookup(decoding: Decoding, policy: DraftPolicy | null): Strategy<GenerateOutcome> {
  const { config, stop, recorder } = decoding;
  const [row] = startRows(decoding);
  const { row: afterPrompt, promptLogprobs } = yield* prefill(decoding);
  stop.tick();
  recorder.startStep(1);
  let acceptance = FIRST_ACCEPTANCE;
  let tokens = [choose(decoding, row!, afterPrompt)];
  while (row!.finishReason === null) {
    const { sequence } = row!;
    // The last position before the limit needs no draft after it.
    const room = config.maxLength - sequence.length - 1;
    const draft =
      policy === null
        ? findDraft(sequence, 1, config.maxMatchingNgramSize, Math.min(config.promptLookupNumTokens, room))
        : findDraft(sequence, MIN_NGRAM, MAX_NGRAM, Math.min(policy.draftTokens(acceptance), room));
    const request: ScoreRequest = {
      rows: [{ from: 0, keep: sequence.length - 1, tokens: [sequence.at(-1)!, ...draft], scored: 'all' }],
      finalTokens: [toFinalTokens(row!, tokens)],
    };
    const result = yield request;
    stop.tick();
    tokens = [];
    for (const [at, logits] of result[0]!.logits.entries()) {
      recorder.startStep(1);
      const token = choose(decoding, row!, { logits, layers: [] });
      tokens.push(token);
      if (row!.finishReason !== null || token !== draft[at]) break;
    }
    acceptance +=
      draft.length === 0
        ? FORGIVENESS * (FIRST_ACCEPTANCE - acceptance)
        : SMOOTHING * ((tokens.length - 1) / draft.length - acceptance);
  }
  return outcomeOf(decoding, [row!], promptLogprobs);
}

/**
 * Up to `most` tokens that followed the longest n-gram (`least` to `longest` tokens) that ends the sequence, at its first
 * other occurrence.
 */
export function findDraft(sequence: readonly TokenId[], min: number, longest: number, max: number): readonly TokenId[] {
  if (max <= 0) return [];
  for (let size = Math.min(longest, sequence.length - 1); size >= min; size--) {
    const end = sequence.length - size;
    for (let start = 0; start < end; start++) {
      let at = 0;
      while (at < size && sequence[start + at] === sequence[end + at]) at++;
      if (at === size) return sequence.slice(start + size, start + size + max);
    }
  }
  return [];
}
