import { createTokenizer, type TokenizerData, TokenizerError } from '@gptj-cloud/tokenizer';
import { CheckpointError } from './checkpoint-error.ts';

/** Throws `invalid_tokenizer` for a vocabulary that the tokenizer cannot be built from. */
export function checkTokenizer(file: string, data: TokenizerData): void {
  try {
    createTokenizer(data);
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw error;
    throw new CheckpointError('invalid_tokenizer', { file }, error.message, { cause: error });
  }
}

/** Warn of added tokens that have no row in the model. */
export function droppedWarning(dropped: readonly string[]): readonly string[] {
  if (dropped.length === 0) return [];
  const shown = dropped.slice(0, 20).map((content) => JSON.stringify(content.slice(0, 100)));
  const more = dropped.length > shown.length ? ` and ${dropped.length - shown.length} more` : '';
  return [`added tokens without a row in the model are left out: ${shown.join(', ')}${more}`];
}
