import type { AddedToken } from './added-token.ts';
import { type Fields, kindOf } from './json-fields.ts';
import type { TokenId } from './token.ts';
import { TokenizerError } from './tokenizer-error.ts';

/** An added token before it has an id. */
export type AddedTokenEntry = Omit<AddedToken, 'id'>;

/** Read `{content, special, lstrip, …}`, with the library's defaults. Throws `invalid_vocabulary`. */
export function parseAddedToken(entry: Fields, where: string): AddedTokenEntry {
  const { content } = entry;
  if (typeof content !== 'string') {
    throw new TokenizerError('invalid_vocabulary', `${where}: content: expected a string, got ${kindOf(content)}`);
  }
  const flag = (name: string, fallback: boolean): boolean => {
    const value = entry[name] ?? fallback;
    if (typeof value === 'boolean') return value;
    throw new TokenizerError('invalid_vocabulary', `${where}: ${name}: expected true or false, got ${kindOf(value)}`);
  };
  const special = flag('special', false);
  return {
    content,
    special,
    lstrip: flag('lstrip', false),
    rstrip: flag('rstrip', false),
    singleWord: flag('single_word', false),
    normalized: flag('normalized', !special),
  };
}

/**
 * Give added tokens their ids as the `tokenizers` library 0.23 does, which does not read the ids in the file: a content
 * that the vocabulary or an earlier entry has keeps that id, a new one gets the next id after all others. Of two
 * entries with one content the flags of the last one count, but what was special once stays special. Empty contents
 * are left out.
 *
 * @param vocabulary the tokens of the model by their spelling
 */
export function assignAddedTokens(
  vocabulary: ReadonlyMap<string, TokenId>,
  entries: readonly AddedTokenEntry[],
): readonly AddedToken[] {
  const added = new Map<string, AddedToken>();
  let largest = -1;
  for (const entry of entries) {
    if (entry.content === '') continue;
    const earlier = added.get(entry.content);
    const id = earlier?.id ?? vocabulary.get(entry.content) ?? Math.max(largest + 1, vocabulary.size);
    largest = Math.max(largest, id);
    added.set(entry.content, { ...entry, id, special: entry.special || earlier?.special === true });
  }
  return [...added.values()];
}
