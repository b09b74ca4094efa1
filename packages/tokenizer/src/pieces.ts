/**
 * GPT-2's pre-tokenisation. Merges never cross the border of a piece. As a pattern, with Unicode's White_Space for `\s`:
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

/** Index of the first character from `start` on that is not of the class. */
function runEnd(text: string, start: number, of: number): number {
  let at = start;
  while (at < text.length) {
    const codePoint = text.codePointAt(at)!;
    if (classify(codePoint) !== of) break;
    at += codePoint > 0xffff ? 2 : 1;
  }
  return at;
}

/** Length of the contraction that starts at the apostrophe `at`, 0 when there is none. Lower case only, as in GPT-2. */
function contractionLength(text: string, at: number): number {
  const first = text[at + 1];
  if (first === 's' || first === 't' || first === 'm' || first === 'd') return 2;
  const second = text[at + 2];
  if ((first === 'r' || first === 'v') && second === 'e') return 3;
  return first === 'l' && second === 'l' ? 3 : 0;
}

/**
 * End of the piece that starts at `start`, in UTF-16 units. Pieces are never empty and follow each other without gaps.
 *
 * @param start index of the first unit of a piece, less than `text.length`
 */
export function pieceEnd(text: string, start: number): number {
  if (text[start] === "'") {
    const length = contractionLength(text, start);
    if (length > 0) return start + length;
  }
  const afterBlank = text[start] === ' ' ? start + 1 : start;
  if (afterBlank < text.length) {
    const kind = classify(text.codePointAt(afterBlank)!);
    if (kind !== SPACE) return runEnd(text, afterBlank, kind);
  }
  // White space. All of it is in the basic plane, so one unit is one character. The last one before a word is left
  // for the next piece, unless it is alone.
  const end = runEnd(text, start, SPACE);
  return end < text.length && end - start > 1 ? end - 1 : end;
}
