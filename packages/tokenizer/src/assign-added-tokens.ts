import type { AddedToken } from './added-token.ts';
import type { TokenId } from './token.ts';

/** An added token before it has an id. */
export type AddedTokenEntry = Omit<AddedToken, 'id'>;

/**
 * Give added tokens their ids as the `tokenizers` library 0.23 does, which does not read the ids in the file: a content
 * that the vocabulary or an earlier entry has keeps that id, a new one gets the next id after all others. Of two
 * entries with one content the flags of the last one count. Empty contents are left out.
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
    const known = added.get(entry.content)?.id ?? vocabulary.get(entry.content);
    const id = known ?? Math.max(largest + 1, vocabulary.size);
    largest = Math.max(largest, id);
    added.set(entry.content, { ...entry, id });
  }
  return [...added.values()];
}
