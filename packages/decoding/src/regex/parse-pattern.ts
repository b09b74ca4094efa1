/**
 * Regular expressions over text, as a syntax tree of code point sets. The whole text must match, so there are no
 * anchors; look-around, back-references and lazy quantifiers are refused.
 *
 * Syntax: literals, `.`, `[…]` and `[^…]` with ranges, `\d \w \s \D \W \S`, `\n \t \r \f \v \0 \xHH \uHHHH`, escaped
 * punctuation, `( )` and `(?: )`, `|`, `* + ?`, `{n} {n,} {n,m}`.
 */
import { ParameterError } from '../parameter-error.ts';

/** Sorted ranges of code points, both ends included. */
export type CodePoints = readonly (readonly [from: number, to: number])[];

export type Pattern =
  | { readonly type: 'set'; readonly codePoints: CodePoints }
  | { readonly type: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly type: 'choice'; readonly parts: readonly Pattern[] }
  /** `max` may be Infinity. */
  | { readonly type: 'repeat'; readonly part: Pattern; readonly min: number; readonly max: number };

const LAST_CODE_POINT = 0x10ffff;
const MAX_REPEATS = 1000;
const MAX_DEPTH = 50;

const CLASSES: Readonly<Record<string, CodePoints>> = {
  d: [[0x30, 0x39]],
  w: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ],
  s: [
    [0x09, 0x0d],
    [0x20, 0x20],
    [0xa0, 0xa0],
    [0x2028, 0x2029],
  ],
};

const CONTROLS: Readonly<Record<string, number>> = { n: 0x0a, t: 0x09, r: 0x0d, f: 0x0c, v: 0x0b, '0': 0 };

/** Parse a pattern. Throws `ParameterError` that names the position. */
export function parsePattern(source: string): Pattern {
  const characters = [...source];
  let at = 0;

  function fail(expected: string): never {
    const got = at < characters.length ? JSON.stringify(characters[at]) : 'the end';
    throw new ParameterError(
      'invalid_parameter',
      ['prefix_allowed_tokens_fn'],
      `prefix_allowed_tokens_fn: regex: expected ${expected} at character ${at}, got ${got}`,
    );
  }

  function choice(depth: number): Pattern {
    if (depth > MAX_DEPTH) fail(`at most ${MAX_DEPTH} groups inside one another`);
    const parts = [sequence(depth)];
    while (characters[at] === '|') {
      at++;
      parts.push(sequence(depth));
    }
    return parts.length === 1 ? parts[0]! : { type: 'choice', parts };
  }

  function sequence(depth: number): Pattern {
    const parts: Pattern[] = [];
    while (at < characters.length && characters[at] !== '|' && characters[at] !== ')') parts.push(repeated(depth));
    return parts.length === 1 ? parts[0]! : { type: 'sequence', parts };
  }

  function repeated(depth: number): Pattern {
    const part = atom(depth);
    const bounds = quantifier();
    if (bounds === null) return part;
    if (isQuantifier()) fail('one quantifier (lazy and possessive ones are not supported)');
    return { type: 'repeat', part, min: bounds[0], max: bounds[1] };
  }

  function isQuantifier(): boolean {
    return at < characters.length && '*+?{'.includes(characters[at]!);
  }

  function quantifier(): readonly [min: number, max: number] | null {
    if (!isQuantifier()) return null;
    const character = characters[at++];
    if (character === '*') return [0, Number.POSITIVE_INFINITY];
    if (character === '+') return [1, Number.POSITIVE_INFINITY];
    if (character === '?') return [0, 1];
    const min = integer();
    let max = min;
    if (characters[at] === ',') {
      at++;
      max = characters[at] === '}' ? Number.POSITIVE_INFINITY : integer();
    }
    if (characters[at] !== '}') fail('"}"');
    if (max < min) fail(`a maximum of at least ${min}`);
    at++;
    return [min, max];
  }

  function integer(): number {
    let digits = '';
    while (at < characters.length && /^[0-9]$/.test(characters[at]!)) digits += characters[at++];
    if (digits === '' || Number(digits) > MAX_REPEATS) fail(`a count from 0 to ${MAX_REPEATS}`);
    return Number(digits);
  }

  function atom(depth: number): Pattern {
    const character = characters[at++]!;
    if (character === '(') return group(depth);
    if (character === '[') return { type: 'set', codePoints: bracket() };
    if (character === '.') return { type: 'set', codePoints: complement([[0x0a, 0x0a]]) };
    if (character === '\\') return { type: 'set', codePoints: escaped() };
    if ('*+?{}])^$'.includes(character)) {
      at--;
      fail(
        'a literal (write a backslash before * + ? { } ] ) ^ $; the whole text must match, so anchors are not needed)',
      );
    }
    return { type: 'set', codePoints: single(character.codePointAt(0)!) };
  }

  function group(depth: number): Pattern {
    if (characters[at] === '?') {
      at++;
      if (characters[at] !== ':') fail('":" (look-around and named groups are not supported)');
      at++;
    }
    const inner = choice(depth + 1);
    if (characters[at] !== ')') fail('")"');
    at++;
    return inner;
  }

  function bracket(): CodePoints {
    const negated = characters[at] === '^';
    if (negated) at++;
    const ranges: (readonly [number, number])[] = [];
    while (characters[at] !== ']') {
      if (at >= characters.length) fail('"]"');
      const from = member();
      if (characters[at] === '-' && characters[at + 1] !== ']' && at + 1 < characters.length) {
        at++;
        const to = member();
        const [low, high] = [from[0]![0], to[0]![1]];
        if (from.length > 1 || to.length > 1 || from[0]![0] !== from[0]![1] || high < low) fail('a range that rises');
        ranges.push([low, high]);
      } else ranges.push(...from);
    }
    at++;
    if (ranges.length === 0) fail('at least one character between [ and ]');
    return negated ? complement(ranges) : normalise(ranges);
  }

  function member(): CodePoints {
    const character = characters[at++]!;
    return character === '\\' ? escaped() : single(character.codePointAt(0)!);
  }

  function escaped(): CodePoints {
    const character = characters[at++];
    if (character === undefined) fail('a character after the backslash');
    const named = CLASSES[character.toLowerCase()];
    if (named !== undefined && 'dws'.includes(character.toLowerCase())) {
      return character === character.toLowerCase() ? named : complement(named);
    }
    if (Object.hasOwn(CONTROLS, character)) return single(CONTROLS[character]!);
    if (character === 'x') return single(hexadecimal(2));
    if (character === 'u') return single(hexadecimal(4));
    if (/^[A-Za-z0-9]$/.test(character)) {
      at--;
      fail('a known escape');
    }
    return single(character.codePointAt(0)!);
  }

  function hexadecimal(digits: number): number {
    const text = characters.slice(at, at + digits).join('');
    if (!new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(text)) fail(`${digits} hexadecimal digits`);
    at += digits;
    return Number.parseInt(text, 16);
  }

  const pattern = choice(0);
  if (at < characters.length) fail('the end');
  return pattern;
}

function single(codePoint: number): CodePoints {
  return [[codePoint, codePoint]];
}

/** Sorted, without overlaps. */
function normalise(ranges: CodePoints): CodePoints {
  const joined: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

function complement(ranges: CodePoints): CodePoints {
  const rest: [number, number][] = [];
  let next = 0;
  for (const [from, to] of normalise(ranges)) {
    if (from > next) rest.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST_CODE_POINT) rest.push([next, LAST_CODE_POINT]);
  return rest;
}
