import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ParsedTokenizerFiles, parseTokenizerFiles, TokenizerError } from '@gptj-cloud/tokenizer';
import { readSmallJson, readSmallText } from './bounded-file.ts';
import { CheckpointError } from './checkpoint-error.ts';

/** GPT-J's tokenizer.json is 3.6 MB. */
const MAX_TOKENIZER_BYTES = 64 * 1024 * 1024;

/**
 * The tokenizer of a Hugging Face folder: tokenizer.json, else vocab.json with merges.txt, and the added tokens of
 * tokenizer_config.json, special_tokens_map.json and added_tokens.json.
 *
 * Throws `not_found`, `invalid_tokenizer`, `malformed`, `too_large`.
 */
export async function readTokenizerFiles(folder: string, vocabSize: number): Promise<ParsedTokenizerFiles> {
  const json = (name: string): Promise<unknown> =>
    existsSync(join(folder, name))
      ? readSmallJson(join(folder, name), MAX_TOKENIZER_BYTES)
      : Promise.resolve(undefined);
  const tokenizerJson = await json('tokenizer.json');
  const isSlow = tokenizerJson === undefined;
  if (isSlow && !existsSync(join(folder, 'vocab.json'))) {
    throw new CheckpointError(
      'not_found',
      { file: folder },
      'expected tokenizer.json, or vocab.json and merges.txt, found neither',
    );
  }
  const files = {
    tokenizerJson,
    vocabJson: isSlow ? await json('vocab.json') : undefined,
    mergesText: isSlow ? await readSmallText(join(folder, 'merges.txt'), MAX_TOKENIZER_BYTES) : undefined,
    tokenizerConfig: await json('tokenizer_config.json'),
    specialTokensMap: await json('special_tokens_map.json'),
    addedTokensJson: await json('added_tokens.json'),
  };
  try {
    return parseTokenizerFiles(files, vocabSize);
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw error;
    const file = join(folder, isSlow ? 'vocab.json' : 'tokenizer.json');
    throw new CheckpointError('invalid_tokenizer', { file }, error.message, { cause: error });
  }
}
