import type { TokenId } from '@gptj-cloud/model';
import { type Charge, STEPS } from '../work-budget.ts';
import { bytePatterns } from './byte-patterns.ts';
import type { EndsByToken } from './stop-rule.ts';

export interface StopStringOptions {
  /** First token of a sequence that counts. */
  readonly start: number;
  readonly charge: Charge;
  /** Takes the bytes of the table of patterns. */
  readonly hold: Charge;
}

/**
 * Whether a token completes one of `stops`: the last byte of the stop string lies in that token.
 * The token may reach beyond it ("st" + "opera" holds "stop"), and prompt tokens count (transformers 5.18,
 * `StopStringCriteria`); `start` is the first token that counts. Compared as UTF-8 bytes, so that a character split over
 * tokens is seen.
 */
export function stopStringRule(
  stops: readonly string[],
  tokenBytes: (token: TokenId) => Uint8Array,
  { start, charge, hold }: StopStringOptions,
): EndsByToken {
  const patterns = bytePatterns(
    stops.map((stop) => new TextEncoder().encode(stop)),
    charge,
    hold,
  );
  let lastSequence: readonly TokenId[] | null = null;
  let lastLength = 0;
  let lastState = 0;

  /** The state after the first `length` tokens: the candidates of one beam share it. */
  function stateAfter(sequence: readonly TokenId[], length: number): number {
    if (sequence === lastSequence && length === lastLength) return lastState;
    let from = length;
    let bytes = 0;
    while (from > start && bytes < patterns.longest - 1) bytes += tokenBytes(sequence[--from]!).length;
    let state = 0;
    for (let at = from; at < length; at++) {
      for (const byte of tokenBytes(sequence[at]!)) state = patterns.step(state, byte);
    }
    charge(STEPS.map * (bytes + length - from + 1));
    lastSequence = sequence;
    lastLength = length;
    lastState = state;
    return state;
  }

  return (sequence, length, token) => {
    let state = stateAfter(sequence, length);
    const bytes = tokenBytes(token);
    charge(STEPS.map * bytes.length);
    let isCompleted = false;
    for (const byte of bytes) {
      state = patterns.step(state, byte);
      if (patterns.ends(state)) isCompleted = true;
    }
    return isCompleted;
  };
}
