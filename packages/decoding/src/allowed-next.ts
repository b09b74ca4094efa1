import type { TokenId } from '@gptj-cloud/model';
import { DecodingError } from './decoding-error.ts';
import type { GenerateConfig } from './generate-config.ts';
import { type AllowedNext, allowedBySequences } from './processors/allowed-tokens.ts';
import { allowedByPattern } from './regex/allowed-by-pattern.ts';
import { type WorkBudget, workBudget } from './work-budget.ts';

/**
 * The rule behind `prefix_allowed_tokens_fn`; null when every token may follow. Throws `missing_dependency` for a
 * regular expression without `tokenBytes`. Work is charged to `budget`.
 */
export function allowedNextOf(
  { allowedTokens, eosTokenIds }: GenerateConfig,
  prompt: readonly TokenId[],
  tokenBytes?: (token: TokenId) => Uint8Array,
  budget: WorkBudget = workBudget(),
): AllowedNext | null {
  if (allowedTokens === null) return null;
  const charge = (steps: number) => budget.charge('prefix_allowed_tokens_fn', steps);
  if (allowedTokens.type === 'sequences') {
    return allowedBySequences(allowedTokens.sequences, allowedTokens.afterPrompt ? prompt.length : 0, charge);
  }
  if (tokenBytes === undefined) {
    throw new DecodingError('missing_dependency', 'prefix_allowed_tokens_fn: a regex needs the bytes of tokens');
  }
  const { pattern, vocabSize } = allowedTokens;
  return allowedByPattern({ pattern, vocabSize, promptLength: prompt.length, eosTokenIds, tokenBytes, charge });
}
