/**
 * A pattern as an automaton over UTF-8 bytes, determinised lazily: a state is a set of states of the nondeterministic
 * automaton, made when it is first reached, so that a transition that was taken before is one look-up.
 */
import type { Charge } from '../work-budget.ts';
import { type NondeterministicAutomaton, nondeterministicAutomaton } from './nondeterministic-automaton.ts';
import type { Pattern } from './parse-pattern.ts';

/**
 * Bytes of the sets of one automaton. A pattern may have more sets than any memory holds; beyond this they are dropped
 * and made again when they are reached.
 */
const MAX_SET_BYTES: number = 4 * 2 ** 20;
/** Bytes of a set beside its states and transitions. */
const SET_BYTES = 200;
/** Steps of looking a set up, and of every state and transition from which it is made. */
const SET_STEPS = 300;
const STEPS_PER_STATE = 24;

/** A set of states, with its transitions computed so far. */
export interface StateSet {
  /** The states that a byte may leave, and the end; ascending. */
  readonly states: Int32Array;
  /** The text so far matches the whole pattern. */
  readonly accepts: boolean;
  /** Transitions by class of bytes; null: no continuation can match. */
  readonly next: (StateSet | null | undefined)[];
}

export interface ByteAutomaton {
  readonly start: StateSet;
  /** Bytes of one class are not distinguished. */
  readonly classOf: Uint8Array;
  /** 1 for the classes that some text of the pattern contains. */
  readonly isTaken: Uint8Array;
  /** How often the sets were dropped: a set that was held before is not found again. */
  readonly dropCount: () => number;
  /** The set after a byte of the class; null when no continuation can match. */
  readonly step: (from: StateSet, byteClass: number) => StateSet | null;
}

/** Making sets is charged. Throws `ParameterError` when the pattern is too large. */
export function byteAutomaton(pattern: Pattern, charge: Charge): ByteAutomaton {
  const automaton = nondeterministicAutomaton(pattern);
  charge(STEPS_PER_STATE * (automaton.stateCount + automaton.moves.target.length + automaton.free.target.length));
  const findClosure = closureFinder(automaton, charge);
  const sets = new Map<number, StateSet[]>();
  let bytes = 0;
  let drops = 0;

  function setOf(seeds: readonly number[]): StateSet {
    const { states, accepts, hash } = findClosure(seeds);
    const known = sets.get(hash)?.find((set) => isEqual(set.states, states));
    if (known !== undefined) return known;
    bytes += SET_BYTES + states.byteLength + 8 * automaton.classCount;
    if (bytes > MAX_SET_BYTES) dropSets();
    const set: StateSet = { states: states.slice(), accepts, next: [] };
    const same = sets.get(hash);
    if (same === undefined) sets.set(hash, [set]);
    else same.push(set);
    return set;
  }

  /** Sets that a search still holds go on, without their transitions. */
  function dropSets(): void {
    for (const same of sets.values()) for (const set of same) set.next.length = 0;
    sets.clear();
    bytes = 0;
    drops++;
  }

  function makeStep(from: StateSet, byteClass: number): StateSet | null {
    const { begin, low, high, target } = automaton.moves;
    const targets: number[] = [];
    let visited = 0;
    for (const state of from.states) {
      const to = begin[state + 1]!;
      for (let at = begin[state]!; at < to; at++) {
        if (low[at]! <= byteClass && byteClass <= high[at]!) targets.push(target[at]!);
      }
      visited += 1 + to - begin[state]!;
    }
    charge(STEPS_PER_STATE + 2 * visited);
    const set = targets.length === 0 ? null : setOf(targets);
    from.next[byteClass] = set;
    return set;
  }

  return {
    start: setOf([automaton.start]),
    classOf: automaton.classOf,
    isTaken: automaton.isTaken,
    dropCount: () => drops,
    step: (from, byteClass) => {
      const known = from.next[byteClass];
      return known === undefined ? makeStep(from, byteClass) : known;
    },
  };
}

interface Closure {
  /** A view that the next search overwrites. */
  readonly states: Int32Array;
  readonly accepts: boolean;
  readonly hash: number;
}

/** Finds what is reached without a byte. States that no byte leaves are left out. */
function closureFinder(
  { stateCount, end, moves, free }: NondeterministicAutomaton,
  charge: Charge,
): (seeds: readonly number[]) => Closure {
  const reachedAt = new Int32Array(stateCount);
  const pending = new Int32Array(stateCount);
  const found = new Int32Array(stateCount);
  let round = 0;
  return (seeds) => {
    round++;
    let waiting = 0;
    let size = 0;
    let visited = seeds.length;
    const reach = (state: number): void => {
      if (reachedAt[state] === round) return;
      reachedAt[state] = round;
      pending[waiting++] = state;
    };
    for (const seed of seeds) reach(seed);
    while (waiting > 0) {
      const state = pending[--waiting]!;
      if (state === end || moves.begin[state]! < moves.begin[state + 1]!) found[size++] = state;
      const to = free.begin[state + 1]!;
      for (let at = free.begin[state]!; at < to; at++) reach(free.target[at]!);
      visited += 1 + to - free.begin[state]!;
    }
    charge(SET_STEPS + STEPS_PER_STATE * (visited + size));
    const states = found.subarray(0, size).sort();
    return { states, accepts: reachedAt[end] === round, hash: hashOf(states) };
  };
}

function hashOf(states: Int32Array): number {
  let hash = 0x811c9dc5;
  for (const state of states) hash = Math.imul(hash ^ state, 0x01000193);
  return hash;
}

function isEqual(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
