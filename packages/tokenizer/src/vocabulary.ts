import { spelledBytes } from './byte-level.ts';
import { createMergeTable, type Merge, type MergeTable } from './merge-table.ts';
import type { TokenId } from './token.ts';
import { TokenizerError } from './tokenizer-error.ts';

/** A vocabulary as files hold it: `tokenizer.json`, or the `tokenizer.ggml.*` keys of a GGUF. Index = token id. */
export interface TokenizerData {
  /**
   * Spelling of each token: in byte-level characters (`Ġthe`), except that special and unused tokens are spelled as
   * they read (`<|endoftext|>`). An unused token may be empty: a row of the model that no text ever names.
   */
  readonly tokens: readonly string[];
  /** `left right`, spelled as the tokens are, best first. */
  readonly merges: readonly string[];
  /** Control tokens: text never encodes to them, and decoding leaves them out unless asked. */
  readonly special: readonly TokenId[];
  /** Fillers: text never encodes to them; should the model choose one, decoding writes its spelling. */
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
  /** Most bytes that one token stands for, over the tokens that text can encode to. */
  readonly longestTokenBytes: number;
}

/**
 * Check a vocabulary and index it.
 *
 * Throws `invalid_vocabulary` (a hole, a duplicate, a character outside the byte-level alphabet, a byte without a
 * token, a special id out of range) or `invalid_merges` (none at all, malformed, of unknown tokens, duplicate).
 */
export function indexVocabulary(data: TokenizerData): Vocabulary {
  const { tokens } = data;
  if (tokens.length === 0) throw new TokenizerError('invalid_vocabulary', 'tokens: expected at least 256, got none');
  const special = idSet('special', data.special, tokens.length);
  const unused = idSet('unused', data.unused, tokens.length);
  const encoder = new TextEncoder();
  const idOf = new Map<string, TokenId>();
  const pieces: Uint8Array[] = [];
  let longestTokenBytes = 0;
  for (let id = 0; id < tokens.length; id++) {
    const token: unknown = tokens[id];
    if (typeof token !== 'string') {
      throw new TokenizerError('invalid_vocabulary', `token ${id}: expected a string, got ${typeof token} (a hole?)`);
    }
    if (special.has(id) || unused.has(id)) {
      pieces.push(encoder.encode(token));
      continue;
    }
    const bytes = spelledBytes(token);
    if (bytes === null || bytes.length === 0) {
      throw new TokenizerError(
        'invalid_vocabulary',
        `token ${id}: expected byte-level characters, got ${quote(token)}; a control or filler token must be declared as such`,
      );
    }
    const earlier = idOf.get(token);
    if (earlier !== undefined) {
      throw new TokenizerError('invalid_vocabulary', `token ${id}: ${quote(token)} is already token ${earlier}`);
    }
    idOf.set(token, id);
    pieces.push(bytes);
    if (bytes.length > longestTokenBytes) longestTokenBytes = bytes.length;
  }
  return {
    size: tokens.length,
    ...concatenate(pieces),
    byteTokens: findByteTokens(pieces, idOf, tokens),
    merges: createMergeTable(parseMerges(data.merges, idOf)),
    special,
    longestTokenBytes,
  };
}

function idSet(field: string, ids: readonly TokenId[], size: number): Set<TokenId> {
  for (const id of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= size) {
      throw new TokenizerError('invalid_vocabulary', `${field}: expected ids from 0 to ${size - 1}, got ${id}`);
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

function findByteTokens(
  pieces: readonly Uint8Array[],
  idOf: ReadonlyMap<string, TokenId>,
  tokens: readonly string[],
): Int32Array {
  const byteTokens = new Int32Array(256).fill(-1);
  pieces.forEach((piece, id) => {
    if (piece.length === 1 && idOf.get(tokens[id]!) === id) byteTokens[piece[0]!] = id;
  });
  const missing = byteTokens.indexOf(-1);
  if (missing >= 0) {
    throw new TokenizerError(
      'invalid_vocabulary',
      `expected a token for every single byte, found none for byte 0x${missing.toString(16).padStart(2, '0')}`,
    );
  }
  return byteTokens;
}

function parseMerges(merges: readonly string[], idOf: ReadonlyMap<string, TokenId>): Merge[] {
  if (merges.length === 0) throw new TokenizerError('invalid_merges', 'merges: expected at least one, got none');
  const seen = new Set<string>();
  return merges.map((merge, rank) => {
    const fail = (why: string): never => {
      throw new TokenizerError('invalid_merges', `merge ${rank}: ${why}`);
    };
    const parts: readonly string[] = typeof merge === 'string' ? merge.split(' ') : [];
    const [left, right] = parts;
    if (parts.length !== 2 || !left || !right) return fail(`expected "left right", got ${quote(merge)}`);
    if (seen.has(merge)) return fail(`${quote(merge)} is there twice`);
    seen.add(merge);
    const idOfPart = (token: string): TokenId => idOf.get(token) ?? fail(`${quote(token)} is not in the vocabulary`);
    return { left: idOfPart(left), right: idOfPart(right), product: idOfPart(left + right) };
  });
}

/** Foreign text in a message: quoted, and cut when it is long. */
function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
