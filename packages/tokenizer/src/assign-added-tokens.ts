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
 * Assign ids to added tokens as the `tokenizers` library 0.23 does, which ignores the ids in the file: content that is
 * already in the vocabulary or in an earlier entry keeps that id, new content gets the next free id. If two entries have
 * the same content, the flags of the last one apply, but a token stays special once any entry marks it special. Entries
 * with empty content are dropped.
 *
 * @param vocabulary the tokens of the model by their spelling
 */
export function assignAddedTokens(
  vocabulary: ReadonlyMap<string, TokenId>,
  entries: readonly AddedTokenEntry[],
): readonly AddedToken[] {
  const added = new Map<string, AddedToken>();
  let next = vocabulary.size;
  for (const entry of entries) {
    if (entry.content === '') continue;
    const earlier = added.get(entry.content);
    const id = earlier?.id ?? vocabulary.get(entry.content) ?? next++;
    added.set(entry.content, { ...entry, id, special: entry.special || earlier?.special === true });
  }
  return [...added.values()];
}
