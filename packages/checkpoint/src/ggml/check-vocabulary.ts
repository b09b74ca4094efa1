import { createTokenizer, type TokenizerData } from '@gptj-cloud/tokenizer';
import { CheckpointError } from '../checkpoint-error.ts';

/**
 * Throws `invalid_tokenizer` where the vocabulary of the file is not that of the tokenizer. Early converters wrote the tokens as text
 * with U+FFFD for bytes that are not UTF-8, so texts are compared; the names of added and unused tokens are free.
 */
export function checkVocabulary(file: string, tokens: readonly Uint8Array[], data: TokenizerData): void {
  const free = new Set([...data.unused, ...data.addedTokens.map(({ id }) => id)]);
  const tokenizer = createTokenizer(data);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const plain = (text: string): string => text.replace(/\ufffd+/g, '\ufffd');
  for (const [id, bytes] of tokens.entries()) {
    if (free.has(id)) continue;
    const expected = id < data.tokens.length ? plain(tokenizer.decode([id])) : '';
    const got = plain(decoder.decode(bytes));
    if (got === expected) continue;
    throw new CheckpointError(
      'invalid_tokenizer',
      { file },
      `token ${id}: expected ${JSON.stringify(expected)}, as the tokenizer has it, got ${JSON.stringify(got.slice(0, 100))}; name the folder of its tokenizer.json (--tokenizer)`,
    );
  }
}
