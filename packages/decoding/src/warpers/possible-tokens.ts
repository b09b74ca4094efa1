/** Changes scores in place; sees only those above -inf and may set more of them to -inf. */
export type Warper = (scores: Float32Array) => void;

let ids = new Int32Array(0);
let values = new Float32Array(0);

/**
 * Run warpers one after another over the possible tokens of a row alone: what one forbids the next need not look at,
 * so after the first filter of a full vocabulary the others cost next to nothing.
 */
export function warpPossibleTokens(scores: Float32Array, warpers: readonly Warper[]): void {
  if (warpers.length === 0) return;
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
  for (const warper of warpers) {
    warper(values.subarray(0, count));
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
}
