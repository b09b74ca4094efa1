import type { AddedToken } from './added-token.ts';
import { arrayOf, fieldsOf, kindOf } from './json-fields.ts';
import type { TokenId } from './token.ts';
import { TokenizerError } from './tokenizer-error.ts';
import type { TokenizerData } from './vocabulary.ts';

/** The byte-pair encoding of a tokenizer's files, without added tokens. */
export interface BpeModel {
  /** Ids by spelling. */
  readonly vocabulary: ReadonlyMap<string, TokenId>;
  /** `left right`, by increasing rank. */
  readonly merges: readonly string[];
}

/** Far above any real vocabulary; refuses ids that would exhaust memory. */
const MAX_TOKENS = 1 << 20;

/** Read `vocab` (token to id) and `merges` (`"a b"` or `["a", "b"]`). Throws `invalid_vocabulary`, `invalid_merges`. */
export function parseBpeModel(vocab: unknown, merges: unknown): BpeModel {
  const vocabulary = new Map<string, TokenId>();
  for (const [token, id] of Object.entries(fieldsOf(vocab, 'vocab', 'invalid_vocabulary'))) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= MAX_TOKENS) {
      throw invalid(`vocab: expected an id from 0 to ${MAX_TOKENS - 1}, got ${JSON.stringify(id)}`);
    }
    vocabulary.set(token, id);
  }
  return { vocabulary, merges: arrayOf(merges, 'merges', 'invalid_merges').map(parseMerge) };
}

/**
 * Combine a BPE model and its added tokens for an embedding of `vocabSize` rows: ids without a token are marked unused,
 * and tokens with ids from `vocabSize` on are dropped, as the model has no row for them. Default: the largest id + 1.
 *
 * Throws `invalid_vocabulary` for two tokens with the same id.
 */
export function joinVocabulary(model: BpeModel, added: readonly AddedToken[], vocabSize?: number): TokenizerData {
  const all = [...model.vocabulary, ...added.map(({ content, id }): [string, TokenId] => [content, id])];
  const size = vocabSize ?? all.reduce((largest, [, id]) => Math.max(largest, id), -1) + 1;
  const spelled = new Map<TokenId, string>();
  for (const [token, id] of all) {
    if (id >= size) continue;
    const earlier = spelled.get(id);
    if (earlier !== undefined && earlier !== token) {
      throw invalid(`id ${id} is both ${JSON.stringify(earlier)} and ${JSON.stringify(token)}`);
    }
    spelled.set(id, token);
  }
  const ids = Array.from({ length: size }, (_, id) => id);
  return {
    tokens: ids.map((id) => spelled.get(id) ?? ''),
    merges: model.merges,
    addedTokens: added.filter(({ id }) => id < size).sort((a, b) => a.id - b.id),
    unused: ids.filter((id) => !spelled.has(id)),
  };
}

function parseMerge(merge: unknown, rank: number): string {
  if (typeof merge === 'string') return merge;
  const [left, right, ...more]: readonly unknown[] = Array.isArray(merge) ? merge : [];
  if (typeof left === 'string' && typeof right === 'string' && more.length === 0) return `${left} ${right}`;
  throw new TokenizerError('invalid_merges', `merge ${rank}: expected "a b" or ["a", "b"], got ${kindOf(merge)}`);
}

function invalid(message: string): TokenizerError {
  return new TokenizerError('invalid_vocabulary', message);
}
