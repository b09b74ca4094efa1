/** A pattern as a nondeterministic automaton over classes of bytes: Thompson's construction. */

import type { Pattern } from './parse-pattern.ts';
import { type BytePattern, toBytePattern } from './pattern-states.ts';

/** Transitions are stored by state: those of state s lie from `begin[s]` to `begin[s + 1]`. */
export interface NondeterministicAutomaton {
  readonly stateCount: number;
  readonly start: number;
  readonly end: number;
  /** Bytes that no transition distinguishes form one class. */
  readonly classOf: Uint8Array;
  readonly classCount: number;
  /** 1 for the classes that some transition takes. */
  readonly isTaken: Uint8Array;
  /** Transitions on the classes from `low` to `high`, both included. */
  readonly moves: {
    readonly begin: Int32Array;
    readonly low: Uint8Array;
    readonly high: Uint8Array;
    readonly target: Int32Array;
  };
  /** Transitions without a byte. */
  readonly free: { readonly begin: Int32Array; readonly target: Int32Array };
}

interface State {
  /** Byte range of the transition, and its target. */
  readonly ranges: [from: number, to: number, target: number][];
  readonly free: number[];
}

/** Throws `ParameterError`, `limit_exceeded`, before building an automaton that would be too large. */
export function nondeterministicAutomaton(pattern: Pattern): NondeterministicAutomaton {
  const states: State[] = [];
  const start = addState(states);
  const end = buildStates(states, toBytePattern(pattern), start);
  const { classOf, classCount } = byteClasses(states);
  const ranges = states.map((state) => state.ranges);
  const free = states.map((state) => [...new Set(state.free)]);
  const moves = ranges.flat();
  return {
    stateCount: states.length,
    start,
    end,
    classOf,
    classCount,
    isTaken: takenClasses(moves, classOf, classCount),
    moves: {
      begin: beginnings(ranges),
      low: Uint8Array.from(moves, ([from]) => classOf[from]!),
      high: Uint8Array.from(moves, ([, to]) => classOf[to]!),
      target: Int32Array.from(moves, ([, , target]) => target),
    },
    free: { begin: beginnings(free), target: Int32Array.from(free.flat()) },
  };
}

function addState(states: State[]): number {
  return states.push({ ranges: [], free: [] }) - 1;
}

/** Add states for `part` after `from`. Returns the end state. */
function buildStates(states: State[], part: BytePattern, from: number): number {
  switch (part.type) {
    case 'set': {
      const to = addState(states);
      for (const sequence of part.sequences) {
        let at = from;
        for (const [index, [first, last]] of sequence.entries()) {
          const target = index === sequence.length - 1 ? to : addState(states);
          states[at]!.ranges.push([first, last, target]);
          at = target;
        }
      }
      return to;
    }
    case 'sequence':
      return part.parts.reduce((at, inner) => buildStates(states, inner, at), from);
    case 'choice': {
      const to = addState(states);
      for (const inner of part.parts) {
        const begin = addState(states);
        states[from]!.free.push(begin);
        states[buildStates(states, inner, begin)]!.free.push(to);
      }
      return to;
    }
    case 'repeat':
      return buildRepeat(states, part, from);
    default:
      return part satisfies never;
  }
}

function buildRepeat(
  states: State[],
  { part, min, max }: Extract<BytePattern, { type: 'repeat' }>,
  from: number,
): number {
  let at = from;
  for (let count = 0; count < min; count++) at = buildStates(states, part, at);
  const to = addState(states);
  if (max === Number.POSITIVE_INFINITY) {
    const loop = addState(states);
    states[at]!.free.push(loop);
    states[loop]!.free.push(to);
    states[buildStates(states, part, loop)]!.free.push(loop);
    return to;
  }
  states[at]!.free.push(to);
  for (let count = min; count < max; count++) {
    at = buildStates(states, part, at);
    states[at]!.free.push(to);
  }
  return to;
}

function byteClasses(states: readonly State[]): { readonly classOf: Uint8Array; readonly classCount: number } {
  const begins = new Uint8Array(257);
  for (const { ranges } of states) {
    for (const [from, to] of ranges) {
      begins[from] = 1;
      begins[to + 1] = 1;
    }
  }
  // Byte 0 begins the first class in any case.
  begins[0] = 0;
  let current = 0;
  const classOf = Uint8Array.from({ length: 256 }, (_, byte) => {
    current += begins[byte]!;
    return current;
  });
  return { classOf, classCount: current + 1 };
}

function takenClasses(
  moves: readonly (readonly [from: number, to: number, target: number])[],
  classOf: Uint8Array,
  classCount: number,
): Uint8Array {
  const isTaken = new Uint8Array(classCount);
  for (const [from, to] of moves) isTaken.fill(1, classOf[from]!, classOf[to]! + 1);
  return isTaken;
}

function beginnings(lists: readonly (readonly unknown[])[]): Int32Array {
  const begin = new Int32Array(lists.length + 1);
  for (const [index, list] of lists.entries()) begin[index + 1] = begin[index]! + list.length;
  return begin;
}
