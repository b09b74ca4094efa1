import { type Charge, STEPS } from '../work-budget.ts';

/**
 * Byte strings that are searched for together (Aho and Corasick, 1975): a state is the longest end of the text that
 * begins a pattern, so every byte of the text is read once, whatever the number of patterns.
 */
export interface BytePatterns {
  /** The state after one more byte; 0 is the state of an empty text. */
  readonly step: (state: number, byte: number) => number;
  /** Whether a pattern ends in this state. */
  readonly ends: (state: number) => boolean;
  /** Length of the longest pattern. */
  readonly longest: number;
}

/** Bytes of one state: its entry in the table of transitions, its fallback, its mark. */
const BYTES_PER_STATE = 64;
/** Steps of making one state. */
export const STEPS_PER_PATTERN_BYTE: number = 12 * STEPS.map;

/** The table is charged before it is built; `hold` takes its bytes. */
export function bytePatterns(patterns: readonly Uint8Array[], charge: Charge, hold: Charge): BytePatterns {
  const next = new Map<number, number>();
  const total = patterns.reduce((sum, { length }) => sum + length, 0);
  charge(STEPS_PER_PATTERN_BYTE * total);
  hold(BYTES_PER_STATE * (total + 1));
  const isEnd = new Uint8Array(total + 1);
  const parent = new Int32Array(total + 1);
  const byteOf = new Uint8Array(total + 1);
  let size = 1;
  /** Shorter states first: the fallback of a state is shorter than the state. */
  const byDepth: number[][] = [];
  for (const pattern of patterns) {
    let state = 0;
    for (const [depth, byte] of pattern.entries()) {
      let child = next.get(state * 256 + byte);
      if (child === undefined) {
        child = size++;
        parent[child] = state;
        byteOf[child] = byte;
        next.set(state * 256 + byte, child);
        byDepth[depth] ??= [];
        byDepth[depth].push(child);
      }
      state = child;
    }
    isEnd[state] = 1;
  }
  const fallback = new Int32Array(size);
  const step = (from: number, byte: number): number => {
    let state = from;
    for (;;) {
      const child = next.get(state * 256 + byte);
      if (child !== undefined) return child;
      if (state === 0) return 0;
      state = fallback[state]!;
    }
  };
  for (const states of byDepth) {
    for (const state of states) {
      const above = parent[state]!;
      if (above !== 0) fallback[state] = step(fallback[above]!, byteOf[state]!);
      if (isEnd[fallback[state]!] === 1) isEnd[state] = 1;
    }
  }
  return {
    step,
    ends: (state) => isEnd[state] === 1,
    longest: Math.max(0, ...patterns.map(({ length }) => length)),
  };
}
