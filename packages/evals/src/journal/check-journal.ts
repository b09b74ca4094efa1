/**
 * Whether a server still has the model whose scores a journal holds. The weights of a server are not known, so that its
 * address and the names of its model stand for them in the keys: a text that is scored again in every run shows whether
 * another model has taken their place.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { EvaluationError } from '../evaluation-error.ts';
import { CHECK_TEXT, CHECK_TOLERANCE } from '../guard/self-checks.ts';
import { scoreAll, type TokenScorer } from '../scoring/token-scorer.ts';
import type { Journal } from './journal.ts';
import { requestKey } from './request-key.ts';

export interface JournalCheck {
  readonly scorer: TokenScorer;
  readonly tokenizer: Tokenizer;
  readonly prefixToken: TokenId;
  readonly journal: Journal;
  readonly signal: AbortSignal;
}

/** Throws `journal_stale` where the server gives other scores than those in the journal. */
export async function checkJournal({ scorer, tokenizer, prefixToken, journal, signal }: JournalCheck): Promise<void> {
  // The key of a model file has the hash of its weights.
  if (scorer.identity.adapter === 'engine') return;
  const request = { context: [prefixToken], continuation: tokenizer.encode(CHECK_TEXT) };
  const key = requestKey(scorer.identity, tokenizer, request);
  const [now] = await scoreAll(scorer, [request], signal);
  const before = journal.scores(key);
  if (before === undefined) {
    await journal.append([{ key, scores: now! }]);
    return;
  }
  const moved = now!.logprobs.findIndex(
    (logprob, at) => !(Math.abs(logprob - before.logprobs[at]!) <= CHECK_TOLERANCE),
  );
  if (moved < 0) return;
  throw new EvaluationError(
    'journal_stale',
    `${scorer.identity.weights}: expected the log-probabilities that the journal has of this server, got ${now!.logprobs[moved]} instead of ${before.logprobs[moved]} at token ${moved + 1}: it has another model now. --journal FILE begins another journal, --journal none uses none`,
  );
}
