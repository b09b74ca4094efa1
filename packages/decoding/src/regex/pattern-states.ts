/**
 * The states that a pattern needs, before any is made. Groups that match only the empty text add no state, however
 * often they are repeated, so they are dropped first.
 */
import { ParameterError } from '../parameter-error.ts';
import type { CodePoints, Pattern } from './parse-pattern.ts';
import { type ByteRange, utf8Ranges } from './utf8-ranges.ts';

/** States of an automaton; bounds {n,m} inside {n,m}. */
const MAX_STATES = 5_000;
/** Transitions over all states. */
const MAX_TRANSITIONS = 100_000;

/** A pattern without empty parts, its sets as sequences of byte ranges. */
export type BytePattern =
  | { readonly type: 'set'; readonly sequences: readonly (readonly ByteRange[])[] }
  | { readonly type: 'sequence' | 'choice'; readonly parts: readonly BytePattern[] }
  | { readonly type: 'repeat'; readonly part: BytePattern; readonly min: number; readonly max: number };

interface Size {
  readonly states: number;
  readonly transitions: number;
}

/** Throws `limit_exceeded` when the automaton of the pattern would have too many states or transitions. */
export function toBytePattern(pattern: Pattern): BytePattern {
  const bytes = simplify(pattern) ?? EMPTY;
  const { states, transitions } = sizeOf(bytes);
  if (states > MAX_STATES) refuse('states', MAX_STATES);
  if (transitions > MAX_TRANSITIONS) refuse('transitions', MAX_TRANSITIONS);
  return bytes;
}

const EMPTY: BytePattern = { type: 'sequence', parts: [] };

function refuse(what: string, max: number): never {
  throw new ParameterError(
    'limit_exceeded',
    ['prefix_allowed_tokens_fn'],
    `prefix_allowed_tokens_fn: regex: the pattern needs more than ${max} ${what}; use smaller counts`,
  );
}

/** The pattern without parts that match only the empty text; null when nothing is left. */
function simplify(pattern: Pattern): BytePattern | null {
  switch (pattern.type) {
    case 'set':
      return { type: 'set', sequences: byteSequences(pattern.codePoints) };
    case 'sequence': {
      const parts = pattern.parts.map(simplify).filter((part) => part !== null);
      return parts.length === 0 ? null : { type: 'sequence', parts };
    }
    case 'choice': {
      const parts = pattern.parts.map(simplify);
      const kept = parts.filter((part) => part !== null);
      if (kept.length === 0) return null;
      // One empty alternative says as much as several.
      return { type: 'choice', parts: kept.length < parts.length ? [EMPTY, ...kept] : kept };
    }
    case 'repeat': {
      const part = simplify(pattern.part);
      return part === null || pattern.max === 0 ? null : { ...pattern, part };
    }
    default:
      return pattern satisfies never;
  }
}

function byteSequences(codePoints: CodePoints): readonly (readonly ByteRange[])[] {
  return codePoints.flatMap(([low, high]) => utf8Ranges(low, high));
}

/** What `buildStates` will add for a pattern after its first state. */
function sizeOf(pattern: BytePattern): Size {
  switch (pattern.type) {
    case 'set': {
      const inner = pattern.sequences.reduce((sum, sequence) => sum + sequence.length - 1, 0);
      return { states: 1 + inner, transitions: inner + pattern.sequences.length };
    }
    case 'sequence':
      return sum(pattern.parts.map(sizeOf));
    case 'choice': {
      const count = pattern.parts.length;
      return sum([{ states: 1 + count, transitions: 2 * count }, ...pattern.parts.map(sizeOf)]);
    }
    case 'repeat': {
      const { part, min, max } = pattern;
      const once = sizeOf(part);
      const isEndless = max === Number.POSITIVE_INFINITY;
      const copies = isEndless ? min + 1 : max;
      return {
        states: (isEndless ? 2 : 1) + copies * once.states,
        transitions: (isEndless ? 3 : 1 + max - min) + copies * once.transitions,
      };
    }
    default:
      return pattern satisfies never;
  }
}

function sum(sizes: readonly Size[]): Size {
  return sizes.reduce(
    (total, { states, transitions }) => ({
      states: total.states + states,
      transitions: total.transitions + transitions,
    }),
    { states: 0, transitions: 0 },
  );
}
