import type { AddedToken } from './added-token.ts';
import { isWhiteSpace } from './pieces.ts';
import { createTextMatcher, type TextMatcher } from './text-matcher.ts';
import type { TokenId } from './token.ts';

/** A part of a text: an added token, or ordinary text where `id` is null. Offsets are in UTF-16 units. */
export interface TextPart {
  readonly id: TokenId | null;
  readonly start: number;
  readonly end: number;
}

export interface SplitOptions {
  /** Special tokens are ordinary text. */
  readonly splitSpecialTokens: boolean;
}

/** Cuts text at its added tokens. */
export type AddedTokenSplitter = (text: string, options: SplitOptions) => Iterable<TextPart>;

/**
 * Splits as `AddedVocabulary` of the `tokenizers` library 0.23 does: first at the tokens that are not `normalized`,
 * then, in the text between them, at the others; each time the leftmost token, and of those the longest.
 */
export function createAddedTokenSplitter(tokens: readonly AddedToken[]): AddedTokenSplitter {
  const first = createGroup(tokens.filter((token) => !token.normalized));
  const second = createGroup(tokens.filter((token) => token.normalized));
  return function* split(text, options) {
    for (const part of splitGroup(first, text, 0, text.length, options)) {
      if (part.id !== null) yield part;
      else yield* splitGroup(second, text, part.start, part.end, options);
    }
  };
}

interface Group {
  readonly tokens: readonly AddedToken[];
  readonly matcher: TextMatcher;
}

function createGroup(tokens: readonly AddedToken[]): Group {
  return { tokens, matcher: createTextMatcher(tokens.map((token) => token.content)) };
}

/** Split `text[from … to-1]`, which counts as the whole text for `singleWord`. No part is empty ordinary text. */
function* splitGroup(
  { tokens, matcher }: Group,
  text: string,
  from: number,
  to: number,
  { splitSpecialTokens }: SplitOptions,
): Iterable<TextPart> {
  let textStart = from;
  // White space between `spaceStart` and `spaceEnd` has been read already; without this, a token of white space that
  // also takes the white space after it would read a long run once for each of its characters.
  let spaceEnd = from;
  let searchFrom = from;
  while (tokens.length > 0) {
    const match = matcher.find(text, searchFrom, to);
    if (match === null) break;
    // The library goes on after the match even where it discards it, so an overlapping shorter token is not found.
    searchFrom = match.end;
    const token = tokens[match.pattern]!;
    if (splitSpecialTokens && token.special) continue;
    let { start, end } = match;
    if (token.singleWord && (isWordBefore(text, start, from) || isWordAt(text, end, to))) continue;
    if (token.lstrip) {
      while (start > textStart && isWhiteSpace(text, start - 1)) start--;
      start = Math.max(start, textStart);
    }
    if (token.rstrip) {
      if (end >= spaceEnd) {
        spaceEnd = end;
        while (spaceEnd < to && isWhiteSpace(text, spaceEnd)) spaceEnd++;
      }
      end = spaceEnd;
    }
    if (textStart < start) yield { id: null, start: textStart, end: start };
    // The library drops the token if an earlier match covers all of its text.
    if (start < end) yield { id: token.id, start, end };
    // May be before the white space that an earlier match included: the library reads that white space twice, too.
    textStart = end;
  }
  if (textStart < to) yield { id: null, start: textStart, end: to };
}

/** `\w` of Rust's `regex`, which the library uses: Unicode's definition (UTS 18, Annex C). */
const WORD = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;

function isWordAt(text: string, at: number, to: number): boolean {
  return at < to && WORD.test(String.fromCodePoint(text.codePointAt(at)!));
}

function isWordBefore(text: string, at: number, from: number): boolean {
  if (at <= from) return false;
  const pair = at - 2 >= from ? text.codePointAt(at - 2)! : 0;
  return WORD.test(pair > 0xffff ? String.fromCodePoint(pair) : text[at - 1]!);
}
