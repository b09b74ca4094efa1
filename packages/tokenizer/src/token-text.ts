import type { TokenId } from './token.ts';
import type { Tokenizer } from './tokenizer.ts';

/**
 * A token as OpenAI writes it among log-probabilities: its text, or `bytes:\xe2\x80` where it holds parts of
 * characters; so no two tokens of one map look alike.
 */
export function tokenText(tokenizer: Tokenizer, token: TokenId): string {
  const bytes = tokenizer.tokenBytes(token);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
  }
}
