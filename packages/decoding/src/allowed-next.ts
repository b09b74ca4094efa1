import type { TokenId } from '@gptj-cloud/model';
import { DecodingError } from './decoding-error.ts';
import type { GenerateConfig } from './generate-config.ts';
import { type AllowedNext, allowedBySequences } from './processors/allowed-tokens.ts';

/** The rule behind `prefix_allowed_tokens_fn`; null when every token may follow. */
export function allowedNextOf({ allowedTokens }: GenerateConfig, prompt: readonly TokenId[]): AllowedNext | null {
  if (allowedTokens === null) return null;
  if (allowedTokens.type === 'regex') throw new DecodingError('missing_dependency', 'regex: not yet');
  return allowedBySequences(allowedTokens.sequences, allowedTokens.afterPrompt ? prompt.length : 0);
}
