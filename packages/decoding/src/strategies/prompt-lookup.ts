import type { TokenId } from '@gptj-cloud/model';
import type { GenerateOutcome } from '../generate-outcome.ts';
import type { Ask, Strategy } from '../strategy.ts';
import type { Decoding } from './decoding.ts';
import { prefill } from './rows.ts';
import { choose, outcomeOf, startRows } from './sample.ts';

/**
 * Greedy decoding or sampling of one sequence, with drafts from the text itself: where the last tokens occurred
 * before, what followed them there is scored along in one ask. Tokens are chosen position by position as without
 * drafts, and a draft is followed for as long as it agrees, so the result is the same token for token.
 */
export function* promptLookup(decoding: Decoding): Strategy<GenerateOutcome> {
  const { config, stop, recorder } = decoding;
  const [row] = startRows(decoding);
  const { row: afterPrompt, promptLogprobs } = yield* prefill(decoding);
  stop.tick();
  recorder.startStep(1);
  let tokens = [choose(decoding, row!, afterPrompt)];
  while (row!.finishReason === null) {
    const { sequence } = row!;
    const draft = findDraft(sequence, config.maxMatchingNgramSize, draftLength(decoding, sequence));
    const ask: Ask = {
      rows: [{ from: 0, keep: sequence.length - 1, tokens: [sequence.at(-1)!, ...draft], scored: 'all' }],
      settled: [{ index: 0, tokens }],
    };
    const answer = yield ask;
    stop.tick();
    tokens = [];
    for (const [at, logits] of answer[0]!.logits.entries()) {
      recorder.startStep(1);
      const token = choose(decoding, row!, { logits, layers: [] });
      tokens.push(token);
      if (row!.finishReason !== null || token !== draft[at]) break;
    }
  }
  return outcomeOf(decoding, [row!], promptLogprobs);
}

/** The last position before the limit needs no draft after it. */
function draftLength({ config }: Decoding, sequence: readonly TokenId[]): number {
  return Math.min(config.promptLookupNumTokens, config.maxLength - sequence.length - 1);
}

/**
 * Up to `most` tokens that followed the longest n-gram (at most `longest` tokens) that ends the sequence, at its first
 * other occurrence.
 */
export function findDraft(sequence: readonly TokenId[], longest: number, most: number): readonly TokenId[] {
  if (most <= 0) return [];
  for (let size = Math.min(longest, sequence.length - 1); size > 0; size--) {
    const end = sequence.length - size;
    for (let start = 0; start < end; start++) {
      let at = 0;
      while (at < size && sequence[start + at] === sequence[end + at]) at++;
      if (at === size) return sequence.slice(start + size, start + size + most);
    }
  }
  return [];
}
