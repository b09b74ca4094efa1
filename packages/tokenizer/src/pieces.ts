/**
 * GPT-2's pre-tokenisation. Merges never cross a piece boundary. As a pattern, with Unicode's White_Space for `\s`:
 *
 * ```text
 * 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * ```
 *
 * Scanned by hand rather than by RegExp for two reasons: JavaScript's own `\s` is another set (it has U+FEFF and lacks
 * U+0085), and a backtracking engine keeps a stack entry for each character of a run, which a long prompt overflows.
 *
 * `\p{L}` and `\p{N}` follow the Unicode version of the JavaScript engine. With Unicode 17 they agree with the
 * `tokenizers` library 0.23.2 (Unicode 16) on every code point but the 4,657 that version 17 assigned.
 */

const UNKNOWN = 0;
const LETTER = 1;
const NUMBER = 2;
const SPACE = 3;
const OTHER = 4;

/** Class of each code point met so far; the pages of a table that nothing touches cost no memory. */
const classes = new Uint8Array(0x110000);

function classify(codePoint: number): number {
  const known = classes[codePoint]!;
  if (known !== UNKNOWN) return known;
  const character = String.fromCodePoint(codePoint);
  let found = OTHER;
  if (/\p{L}/u.test(character)) found = LETTER;
  else if (/\p{N}/u.test(character)) found = NUMBER;
  else if (/\p{White_Space}/u.test(character)) found = SPACE;
  classes[codePoint] = found;
  return found;
}

/** Whether the character at `at` has Unicode's property White_Space. All that have it are one UTF-16 unit long. */
export function isWhiteSpace(text: string, at: number): boolean {
  return classify(text.charCodeAt(at)) === SPACE;
}

/** Index of the first character from `start` on that is not of the class, at most `end`. */
function runEnd(text: string, start: number, end: number, of: number): number {
  let at = start;
  while (at < end) {
    const codePoint = text.codePointAt(at)!;
    if (classify(codePoint) !== of) break;
    at += codePoint > 0xffff ? 2 : 1;
  }
  return at;
}

/** Length of the contraction that starts at the apostrophe `at`, 0 when there is none. Lower case only, as in GPT-2. */
function contractionLength(text: string, at: number, end: number): number {
  const first = at + 1 < end ? text[at + 1] : undefined;
  if (first === 's' || first === 't' || first === 'm' || first === 'd') return 2;
  const second = at + 2 < end ? text[at + 2] : undefined;
  if ((first === 'r' || first === 'v') && second === 'e') return 3;
  return first === 'l' && second === 'l' ? 3 : 0;
}

/**
 * End of the piece that starts at `start`, in UTF-16 units. Pieces are never empty and follow each other without gaps.
 *
 * @param start index of the first unit of a piece, less than `end`
 * @param end where the text ends: nothing from there on is read
 */
export function pieceEnd(text: string, start: number, end: number): number {
  if (text[start] === "'") {
    const length = contractionLength(text, start, end);
    if (length > 0) return start + length;
  }
  const afterBlank = text[start] === ' ' ? start + 1 : start;
  if (afterBlank < end) {
    const kind = classify(text.codePointAt(afterBlank)!);
    if (kind !== SPACE) return runEnd(text, afterBlank, end, kind);
  }
  // White space. All of it is in the basic plane, so one unit is one character. The last one before a word is left
  // for the next piece, unless it is alone.
  const spaceEnd = runEnd(text, start, end, SPACE);
  return spaceEnd < end && spaceEnd - start > 1 ? spaceEnd - 1 : spaceEnd;
}
