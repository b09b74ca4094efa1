import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CheckpointTokenizer } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { openGgufCheckpoint } from './gguf/open.ts';
import { readTokenizerFiles } from './tokenizer-files.ts';

/** Where a checkpoint that has no tokenizer of its own gets it from. */
export interface TokenizerSource {
  /** A folder with tokenizer.json, or a GGUF file, that the user named. */
  readonly named: string | null;
  /** The same, for a folder without tokenizer.json: GPT-J's own. */
  readonly fallback: string | null;
}

/**
 * The tokenizer of a checkpoint at `path`: the one that is named, else the one beside it, else the fallback. Throws `not_found`,
 * `invalid_tokenizer`.
 */
export async function readTokenizerFrom(
  path: string,
  { named, fallback }: TokenizerSource,
  vocabSize: number,
): Promise<CheckpointTokenizer> {
  if (named !== null) return readFrom(named, vocabSize);
  for (const folder of [path, dirname(path)]) {
    if (['tokenizer.json', 'vocab.json'].some((name) => existsSync(join(folder, name)))) {
      return readTokenizerFiles(folder, vocabSize);
    }
  }
  if (fallback !== null) return readFrom(fallback, vocabSize);
  throw new CheckpointError(
    'not_found',
    { file: path },
    'expected tokenizer.json beside it, found none; put the one of GPT-J there, or name its folder (--tokenizer)',
  );
}

async function readFrom(path: string, vocabSize: number): Promise<CheckpointTokenizer> {
  if (!path.endsWith('.gguf')) return readTokenizerFiles(path, vocabSize);
  const checkpoint = await openGgufCheckpoint(path);
  try {
    const tokenizer = await checkpoint.readTokenizer();
    const { length } = tokenizer.data.tokens;
    if (length === vocabSize) return tokenizer;
    throw new CheckpointError(
      'invalid_tokenizer',
      { file: path },
      `expected ${vocabSize} tokens, as the model has rows, got ${length}; name the folder of its tokenizer.json (--tokenizer)`,
    );
  } finally {
    await checkpoint.close();
  }
}
