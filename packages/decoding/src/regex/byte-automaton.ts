/**
 * A pattern as an automaton over UTF-8 bytes: Thompson's construction, determinised lazily (a
 * lazy DFA), so that a transition that was taken before is one look-up.
 */
import { DecodingError } from '../decoding-error.ts';
import { ParameterError } from '../parameter-error.ts';
import type { Pattern } from './parse-pattern.ts';

/** Maximum number of states before sets are formed; bounds {n,m} inside {n,m}. */
const MAX_STATES = 5_000;
/** States over all sets (32 MB). */
const MAX_IN_SETS = 4_000_000;

/** A DFA state: a set of NFA states, with its transitions computed so far. */
export interface StateSet {
  readonly states: readonly number[];
  /** The text so far matches the whole pattern. */
  readonly accepts: boolean;
  /** Transitions by byte class. */
  readonly next: Map<number, StateSet | null>;
}

export interface ByteAutomaton {
  readonly start: StateSet;
  /**
   * The state after one more byte; null when no continuation can match. Throws `pattern_too_complex` when there are too
   * many states to store.
   */
  readonly step: (from: StateSet, byte: number) => StateSet | null;
}

interface State {
  /** Byte range of the transition, and its target. */
  readonly ranges: [from: number, to: number, target: number][];
  /** States reached without a byte. */
  readonly free: number[];
}

export function byteAutomaton(pattern: Pattern): ByteAutomaton {
  const states: State[] = [];
  const addState = (): number => {
    if (states.length >= MAX_STATES) {
      throw new ParameterError(
        'limit_exceeded',
        ['prefix_allowed_tokens_fn'],
        `prefix_allowed_tokens_fn: regex: the pattern needs more than ${MAX_STATES} states; use smaller counts`,
      );
    }
    return states.push({ ranges: [], free: [] }) - 1;
  };

  /** Add states for `part` after `from`. Returns the end state. */
  function build(part: Pattern, from: number): number {
    switch (part.type) {
      case 'set': {
        const to = addState();
        for (const [low, high] of part.codePoints) addCodePoints(low, high, from, to);
        return to;
      }
      case 'sequence':
        return part.parts.reduce((at, inner) => build(inner, at), from);
      case 'choice': {
        const to = addState();
        for (const inner of part.parts) {
          const begin = addState();
          states[from]!.free.push(begin);
          states[build(inner, begin)]!.free.push(to);
        }
        return to;
      }
      case 'repeat':
        return buildRepeat(part, from);
      default:
        return part satisfies never;
    }
  }

  function buildRepeat({ part, min, max }: Extract<Pattern, { type: 'repeat' }>, from: number): number {
    let at = from;
    for (let count = 0; count < min; count++) at = build(part, at);
    const to = addState();
    if (max === Number.POSITIVE_INFINITY) {
      const loop = addState();
      states[at]!.free.push(loop);
      states[loop]!.free.push(to);
      states[build(part, loop)]!.free.push(loop);
      return to;
    }
    states[at]!.free.push(to);
    for (let count = min; count < max; count++) {
      at = build(part, at);
      states[at]!.free.push(to);
    }
    return to;
  }

  function addCodePoints(low: number, high: number, from: number, to: number): void {
    for (const sequence of utf8Ranges(low, high)) {
      let at = from;
      for (const [index, [first, last]] of sequence.entries()) {
        const target = index === sequence.length - 1 ? to : addState();
        states[at]!.ranges.push([first, last, target]);
        at = target;
      }
    }
  }

  const begin = addState();
  const end = build(pattern, begin);
  const sets = new Map<string, StateSet>();
  const classOf = byteClasses(states);
  let inSets = 0;

  function closure(seeds: readonly number[]): StateSet {
    const reached = new Set<number>();
    const pending = [...seeds];
    for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
      if (reached.has(state)) continue;
      reached.add(state);
      pending.push(...states[state]!.free);
    }
    const list = [...reached].sort((a, b) => a - b);
    const key = list.join();
    let set = sets.get(key);
    if (set === undefined) {
      inSets += list.length;
      if (inSets > MAX_IN_SETS) {
        throw new DecodingError(
          'pattern_too_complex',
          'prefix_allowed_tokens_fn: the regex has too many states to follow; use smaller counts or fewer alternatives',
        );
      }
      set = { states: list, accepts: reached.has(end), next: new Map() };
      sets.set(key, set);
    }
    return set;
  }

  return {
    start: closure([begin]),
    step: (from, byte) => {
      const known = from.next.get(classOf[byte]!);
      if (known !== undefined) return known;
      const targets = from.states.flatMap((state) =>
        states[state]!.ranges.filter(([low, high]) => low <= byte && byte <= high).map(([, , target]) => target),
      );
      const set = targets.length === 0 ? null : closure(targets);
      from.next.set(classOf[byte]!, set);
      return set;
    },
  };
}

/** Bytes that no range distinguishes form one class. */
function byteClasses(states: readonly State[]): Uint16Array {
  const begins = new Uint8Array(257);
  for (const { ranges } of states) {
    for (const [from, to] of ranges) {
      begins[from] = 1;
      begins[to + 1] = 1;
    }
  }
  let current = 0;
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    current += begins[byte]!;
    return current;
  });
}

type ByteRange = readonly [from: number, to: number];

/** The byte sequences of code points `low` to `high`, as sequences of byte ranges. Surrogates have none. */
function utf8Ranges(low: number, high: number): ByteRange[][] {
  const sizes: readonly (readonly [from: number, to: number, size: number])[] = [
    [0x00, 0x7f, 1],
    [0x80, 0x7ff, 2],
    [0x800, 0xd7ff, 3],
    [0xe000, 0xffff, 3],
    [0x10000, 0x10ffff, 4],
  ];
  return sizes.flatMap(([from, to, size]) => {
    const [first, last] = [Math.max(low, from), Math.min(high, to)];
    return first > last ? [] : splitRanges(encode(first, size), encode(last, size));
  });
}

/** Between two encodings of one length: split until every position is a range of its own. */
function splitRanges(low: readonly number[], high: readonly number[]): ByteRange[][] {
  const [lowHead, ...lowTail] = low;
  const [highHead, ...highTail] = high;
  if (lowHead === undefined || highHead === undefined) return [[]];
  if (lowTail.length === 0) return [[[lowHead, highHead]]];
  const prefixed = (head: ByteRange, tails: ByteRange[][]) => tails.map((tail): ByteRange[] => [head, ...tail]);
  const smallest = lowTail.map(() => 0x80);
  const largest = lowTail.map(() => 0xbf);
  if (lowHead === highHead) return prefixed([lowHead, lowHead], splitRanges(lowTail, highTail));
  const isWholeLow = lowTail.every((byte) => byte === 0x80);
  const isWholeHigh = highTail.every((byte) => byte === 0xbf);
  const from = isWholeLow ? lowHead : lowHead + 1;
  const to = isWholeHigh ? highHead : highHead - 1;
  return [
    ...(isWholeLow ? [] : prefixed([lowHead, lowHead], splitRanges(lowTail, largest))),
    ...(from > to ? [] : prefixed([from, to], [smallest.map((): ByteRange => [0x80, 0xbf])])),
    ...(isWholeHigh ? [] : prefixed([highHead, highHead], splitRanges(smallest, highTail))),
  ];
}

function encode(codePoint: number, size: number): number[] {
  if (size === 1) return [codePoint];
  const tail = Array.from({ length: size - 1 }, (_, at) => 0x80 | ((codePoint >> (6 * (size - 2 - at))) & 0x3f));
  const marks = [0, 0, 0xc0, 0xe0, 0xf0];
  return [marks[size]! | (codePoint >> (6 * (size - 1))), ...tail];
}
