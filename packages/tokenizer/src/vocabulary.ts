import type { AddedToken } from './added-token.ts';
import { spellByte, spelledBytes } from './byte-level.ts';
import { createMergeTable, type Merge, type MergeTable } from './merge-table.ts';
import type { TokenId } from './token.ts';
import { TokenizerError } from './tokenizer-error.ts';

/** A vocabulary as files hold it: `tokenizer.json`, or the `tokenizer.ggml.*` keys of a GGUF. */
export interface TokenizerData {
  /**
   * Spelling of each token, by id: in byte-level characters (`Ġthe`), or as it reads where a character is outside
   * that alphabet (`### End`).
   */
  readonly tokens: readonly string[];
  /** `left right`, spelled as the tokens are, best first. */
  readonly merges: readonly string[];
  /** Tokens that are matched in the text itself; `content` is the spelling of the token. No two share a content. */
  readonly addedTokens: readonly AddedToken[];
  /** Rows of the model without a token: text never encodes to them, and they decode to nothing. */
  readonly unused: readonly TokenId[];
}

/** The checked form that encoding and decoding work on. */
export interface Vocabulary {
  readonly size: number;
  /** Bytes of all tokens, end to end; token i is `bytes[starts[i] … starts[i+1]-1]`. */
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  /** Token of each single byte. */
  readonly byteTokens: Int32Array;
  readonly merges: MergeTable;
  readonly special: ReadonlySet<TokenId>;
  /** See `Tokenizer.longestTokenBytes`. */
  readonly longestTokenBytes: number;
}

/**
 * Check a vocabulary and index it.
 *
 * Throws `invalid_vocabulary` (a hole, a duplicate, a byte without a token, an id out of range, an added token that
 * contradicts the vocabulary) or `invalid_merges` (malformed, or of unknown tokens).
 */
export function indexVocabulary(data: TokenizerData): Vocabulary {
  const { tokens, addedTokens } = data;
  if (tokens.length === 0) throw invalid('tokens: expected at least 256, got none');
  const unused = idSet('unused', data.unused, tokens.length);
  const encoder = new TextEncoder();
  const idOf = new Map<string, TokenId>();
  const pieces: Uint8Array[] = [];
  let longestTokenBytes = 0;
  for (let id = 0; id < tokens.length; id++) {
    const token: unknown = tokens[id];
    if (typeof token !== 'string') throw invalid(`token ${id}: expected a string, got ${typeof token} (a hole?)`);
    if (unused.has(id)) {
      pieces.push(new Uint8Array(0));
      continue;
    }
    const earlier = idOf.get(token);
    if (earlier !== undefined) throw invalid(`token ${id}: ${quote(token)} is already token ${earlier}`);
    idOf.set(token, id);
    // As the ByteLevel decoder of the `tokenizers` library does: a token with any character outside the alphabet
    // stands for its own UTF-8.
    const bytes = spelledBytes(token) ?? encoder.encode(token);
    pieces.push(bytes);
    longestTokenBytes = Math.max(longestTokenBytes, bytes.length);
  }
  checkAddedTokens(addedTokens, data, unused);
  for (const { content, lstrip, rstrip } of addedTokens) {
    const bytes = lstrip || rstrip ? Number.POSITIVE_INFINITY : encoder.encode(content).length;
    longestTokenBytes = Math.max(longestTokenBytes, bytes);
  }
  return {
    size: tokens.length,
    ...concatenate(pieces),
    byteTokens: findByteTokens(idOf),
    merges: createMergeTable(parseMerges(data.merges, idOf)),
    special: new Set(addedTokens.filter((token) => token.special).map((token) => token.id)),
    longestTokenBytes,
  };
}

function checkAddedTokens(
  addedTokens: readonly AddedToken[],
  { tokens }: TokenizerData,
  unused: ReadonlySet<TokenId>,
): void {
  const ids = idSet(
    'added tokens',
    addedTokens.map((token) => token.id),
    tokens.length,
  );
  if (ids.size !== addedTokens.length) throw invalid('added tokens: expected each id once, got one twice');
  for (const { id, content } of addedTokens) {
    if (unused.has(id)) throw invalid(`added token ${id}: expected a token that is used, got an unused one`);
    if (tokens[id] !== content) {
      throw invalid(`added token ${id}: expected its content to be token ${quote(tokens[id])}, got ${quote(content)}`);
    }
    if (content === '' || /\p{Surrogate}/u.test(content)) {
      throw invalid(`added token ${id}: expected text without lone surrogates, got ${quote(content)}`);
    }
  }
}

function idSet(field: string, ids: readonly TokenId[], size: number): Set<TokenId> {
  for (const id of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= size) {
      throw invalid(`${field}: expected ids from 0 to ${size - 1}, got ${id}`);
    }
  }
  return new Set(ids);
}

function concatenate(pieces: readonly Uint8Array[]): { bytes: Uint8Array; starts: Int32Array } {
  const starts = new Int32Array(pieces.length + 1);
  for (let i = 0; i < pieces.length; i++) starts[i + 1] = starts[i]! + pieces[i]!.length;
  const bytes = new Uint8Array(starts[pieces.length]!);
  pieces.forEach((piece, i) => {
    bytes.set(piece, starts[i]!);
  });
  return { bytes, starts };
}

/** The token of each byte: the one that its byte-level character spells. An added token `\t` is not one. */
function findByteTokens(idOf: ReadonlyMap<string, TokenId>): Int32Array {
  const byteTokens = Int32Array.from({ length: 256 }, (_, byte) => idOf.get(spellByte(byte)) ?? -1);
  const missing = byteTokens.indexOf(-1);
  if (missing >= 0) {
    throw invalid(
      `expected a token for every single byte, found none for byte 0x${missing.toString(16).padStart(2, '0')}`,
    );
  }
  return byteTokens;
}

function parseMerges(merges: readonly string[], idOf: ReadonlyMap<string, TokenId>): Merge[] {
  return merges.map((merge, rank) => {
    const fail = (why: string): never => {
      throw new TokenizerError('invalid_merges', `merge ${rank}: ${why}`);
    };
    const parts: readonly string[] = typeof merge === 'string' ? merge.split(' ') : [];
    const [left, right] = parts;
    if (parts.length !== 2 || !left || !right) return fail(`expected "left right", got ${quote(merge)}`);
    const idOfPart = (token: string): TokenId => idOf.get(token) ?? fail(`${quote(token)} is not in the vocabulary`);
    return { left: idOfPart(left), right: idOfPart(right), product: idOfPart(left + right) };
  });
}

function invalid(message: string): TokenizerError {
  return new TokenizerError('invalid_vocabulary', message);
}

/** Foreign text in a message: quoted, and cut when it is long. */
function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
