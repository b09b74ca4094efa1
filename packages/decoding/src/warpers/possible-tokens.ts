import type { Charge } from '../work-budget.ts';

/**
 * Changes scores in place; receives only those above -inf and may set more of them to -inf. Returns the steps that it
 * took.
 */
export type Warper = (scores: Float32Array) => number;

/** A warper, and where its steps are charged. */
export interface ChargedWarper {
  readonly warper: Warper;
  readonly charge: Charge;
}

let ids = new Int32Array(0);
let values = new Float32Array(0);

/**
 * Run warpers one after another. The first sees the whole row, the others only the tokens that are still possible, so
 * after the first filter of a full vocabulary they are cheap.
 */
export function warpPossibleTokens(scores: Float32Array, warpers: readonly ChargedWarper[]): void {
  const [first, ...others] = warpers;
  first?.charge(first.warper(scores));
  if (others.length === 0) return;
  if (ids.length < scores.length) {
    ids = new Int32Array(scores.length);
    values = new Float32Array(scores.length);
  }
  let count = 0;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (!(score > Number.NEGATIVE_INFINITY)) continue;
    ids[count] = id;
    values[count++] = score;
  }
  for (const { warper, charge } of others) {
    charge(warper(values.subarray(0, count)) + 3 * count);
    let kept = 0;
    for (let at = 0; at < count; at++) {
      const value = values[at]!;
      if (!(value > Number.NEGATIVE_INFINITY)) continue;
      ids[kept] = ids[at]!;
      values[kept++] = value;
    }
    count = kept;
  }
  scores.fill(Number.NEGATIVE_INFINITY);
  for (let at = 0; at < count; at++) scores[ids[at]!] = values[at]!;
  others[0]!.charge(3 * scores.length);
}
