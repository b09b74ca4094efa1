import { mergeSymbols } from './byte-pair-encoding.ts';
import { createPieceCache } from './piece-cache.ts';
import { pieceEnd } from './pieces.ts';
import { createAddedTokenSplitter, type TextPart } from './split-added-tokens.ts';
import type { TokenId } from './token.ts';
import { TokenizerError } from './tokenizer-error.ts';
import { indexVocabulary, type TokenizerData } from './vocabulary.ts';

export interface EncodeOptions {
  /** Maximum number of tokens, at least 0. Default: no limit. */
  readonly limit?: number;
  /**
   * Read special tokens in the text literally: `<|endoftext|>` is encoded letter by letter. Added tokens that are not
   * special still match. This is `split_special_tokens` of transformers; use it for text of unknown origin that must
   * not end or steer a generation. Default false.
   */
  readonly splitSpecialTokens?: boolean;
}

export interface DecodeOptions {
  /** Leave special tokens out of the text. Default true. */
  readonly skipSpecial?: boolean;
}

export interface EncodeEndOptions {
  /** Number of tokens, at least 1. */
  readonly count: number;
  /** As in `EncodeOptions`. Default false. */
  readonly splitSpecialTokens?: boolean;
}

/** Text to token ids and back. Safe to share: create one per vocabulary. */
export interface Tokenizer {
  /** Ids are 0 … vocabSize-1. */
  readonly vocabSize: number;
  /**
   * Maximum number of bytes of text that one token can stand for; n bytes are at least n / longestTokenBytes tokens.
   * Infinity if an added token includes the white space around it.
   */
  readonly longestTokenBytes: number;
  /**
   * Tokens of a text, as transformers' tokenizer gives them: added tokens that occur in the text become their ids,
   * `<|endoftext|>` included. The empty text has none. A lone surrogate counts as U+FFFD.
   *
   * With a `limit`, throws `too_many_tokens` as soon as it is certain that there are more: at once where the length
   * alone shows it, else after the piece that passes the limit, without encoding the rest.
   */
  encode(text: string, options?: EncodeOptions): TokenId[];
  /**
   * The last `count` tokens of `encode(text)`. Reads the text once to find its pieces and encodes the last of them alone.
   *
   * Throws `piece_too_long` where a piece that it needs (a run of letters, say, without a space) is longer than 65,536
   * UTF-16 units: where such a run is cut into tokens depends on its beginning, and encoding it takes too long.
   */
  encodeEnd(text: string, options: EncodeEndOptions): TokenId[];
  /**
   * Text of tokens. Bytes that are not UTF-8 become U+FFFD, one per maximal ill-formed part.
   * Throws `unknown_token` for an id outside the vocabulary.
   */
  decode(ids: readonly TokenId[], options?: DecodeOptions): string;
  /** Bytes of one token, as a view into the vocabulary: do not write. May be part of a character. Throws `unknown_token`. */
  tokenBytes(id: TokenId): Uint8Array;
  /** Whether the token is a special added token such as `<|endoftext|>`. Throws `unknown_token`. */
  isSpecial(id: TokenId): boolean;
}

/** The common words of a language are a few thousand. */
const MAX_CACHED_PIECES = 8192;
/**
 * Maximum length of a cached piece, in UTF-16 units. Up to 12 units V8 copies a substring; a longer one points into
 * its text, and the cache would keep a whole prompt alive for one word.
 */
const MAX_CACHED_PIECE_LENGTH = 12;
/** Maximum length of a piece for `encodeEnd`, in UTF-16 units: some 0.1 s of encoding. */
const MAX_END_PIECE_LENGTH = 65_536;

/** Build a tokenizer. Throws `invalid_vocabulary` and `invalid_merges` for data that does not fit together. */
export function createTokenizer(data: TokenizerData): Tokenizer {
  const vocabulary = indexVocabulary(data);
  const { size, bytes, starts, byteTokens, merges, special, longestTokenBytes } = vocabulary;
  const split = createAddedTokenSplitter(data.addedTokens);
  const cache = createPieceCache(MAX_CACHED_PIECES);
  const utf8 = new TextEncoder();

  const encodePiece = (piece: string): TokenId[] => {
    const pieceBytes = utf8.encode(piece);
    const symbols = new Int32Array(pieceBytes.length);
    for (let i = 0; i < pieceBytes.length; i++) symbols[i] = byteTokens[pieceBytes[i]!]!;
    const count = mergeSymbols(symbols, symbols.length, merges);
    return Array.from(symbols.subarray(0, count));
  };

  const cachedPiece = (piece: string): readonly TokenId[] => {
    if (piece.length > MAX_CACHED_PIECE_LENGTH) return encodePiece(piece);
    const known = cache.get(piece);
    if (known !== undefined) return known;
    const ids = encodePiece(piece);
    cache.set(piece, ids);
    return ids;
  };

  const checkId = (id: TokenId): void => {
    if (!Number.isInteger(id) || id < 0 || id >= size) {
      throw new TokenizerError('unknown_token', `expected a token id from 0 to ${size - 1}, got ${id}`);
    }
  };

  const tokenBytes = (id: TokenId): Uint8Array => {
    checkId(id);
    return bytes.subarray(starts[id]!, starts[id + 1]!);
  };

  return {
    vocabSize: size,
    longestTokenBytes,
    tokenBytes,
    isSpecial(id) {
      checkId(id);
      return special.has(id);
    },
    encode(text, options) {
      const limit = options?.limit ?? Number.POSITIVE_INFINITY;
      const ids: TokenId[] = [];
      /** `units` more UTF-16 units, each a byte at least, would follow the tokens so far. */
      const checkRoomFor = (units: number): void => {
        if (!(ids.length + Math.ceil(units / longestTokenBytes) <= limit)) {
          throw new TokenizerError('too_many_tokens', `expected at most ${limit} tokens of text, got more`);
        }
      };
      checkRoomFor(text.length);
      for (const part of split(text, { splitSpecialTokens: options?.splitSpecialTokens ?? false })) {
        if (part.id !== null) {
          ids.push(part.id);
          checkRoomFor(text.length - part.end);
          continue;
        }
        for (let start = part.start; start < part.end; ) {
          const end = pieceEnd(text, start, part.end);
          for (const id of cachedPiece(text.slice(start, end))) ids.push(id);
          start = end;
          checkRoomFor(text.length - start);
        }
      }
      return ids;
    },
    encodeEnd(text, { count, splitSpecialTokens = false }) {
      // A piece is one token at least, so no more than the last `count` pieces are needed. The list is a ring.
      const pieces: TextPart[] = [];
      let found = 0;
      const note = (piece: TextPart): void => {
        pieces[found++ % count] = piece;
      };
      for (const part of split(text, { splitSpecialTokens })) {
        if (part.id !== null) note(part);
        for (let start = part.start; part.id === null && start < part.end; ) {
          const end = pieceEnd(text, start, part.end);
          note({ id: null, start, end });
          start = end;
        }
      }
      const parts: (readonly TokenId[])[] = [];
      let ids = 0;
      for (let at = found - 1; at >= Math.max(0, found - count) && ids < count; at--) {
        const { id, start, end } = pieces[at % count]!;
        if (id === null && end - start > MAX_END_PIECE_LENGTH) {
          throw new TokenizerError(
            'piece_too_long',
            `expected runs of at most ${MAX_END_PIECE_LENGTH} characters of one kind, got ${end - start}`,
          );
        }
        const part = id === null ? cachedPiece(text.slice(start, end)) : [id];
        parts.push(part);
        ids += part.length;
      }
      return parts.reverse().flat().slice(-count);
    },
    decode(ids, options) {
      const skipSpecial = options?.skipSpecial ?? true;
      const parts: Uint8Array[] = [];
      let length = 0;
      for (const id of ids) {
        const part = tokenBytes(id);
        if (skipSpecial && special.has(id)) continue;
        parts.push(part);
        length += part.length;
      }
      const all = new Uint8Array(length);
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(all);
    },
  };
}
