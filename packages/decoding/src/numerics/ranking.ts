const BUCKETS = 2048;
/** Minimum number of entries in the first sort: enough for most callers. */
const ROUND = 128;
/** Indices are packed below the sort key; no vocabulary is larger. */
const INDEX_RANGE = 2 ** 20;
/** Distance from the maximum beyond which the softmax is negligible: one bucket for all such entries. */
const RANGE = 40;

/**
 * The entries of a row above -inf in descending order, ties by lowest index, sorted lazily.
 *
 * Entries are counted into buckets by their distance from the maximum; as positions are read, the next buckets
 * are gathered and sorted. A caller needs the top few hundred of a vocabulary, so this is far cheaper than a sort.
 * A ranking owns its buffers: the next `rank` overwrites them.
 */
export class Ranking {
  #values: Float32Array = new Float32Array(0);
  #bits: Int32Array = new Int32Array(0);
  /** Sort keys of the gathered entries, in order. */
  #keys: Float64Array = new Float64Array(0);
  #gathered = 0;
  readonly #counts: Int32Array = new Int32Array(BUCKETS);
  #nextBucket = 0;
  #largest = 0;
  #scale = 0;
  #count = 0;

  /** Entries above -inf of the ranked row. NaN is none. */
  get count(): number {
    return this.#count;
  }

  /** Rank `values` (at most 2^20); they must stay unchanged while positions are read. */
  rank(values: Float32Array): void {
    this.#values = values;
    this.#bits = new Int32Array(values.buffer, values.byteOffset, values.length);
    if (this.#keys.length < values.length) this.#keys = new Float64Array(values.length);
    let largest = Number.NEGATIVE_INFINITY;
    let smallest = Number.POSITIVE_INFINITY;
    let count = 0;
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (!(value > Number.NEGATIVE_INFINITY)) continue;
      count++;
      if (value > largest) largest = value;
      if (value < smallest) smallest = value;
    }
    this.#count = count;
    this.#gathered = 0;
    this.#nextBucket = 0;
    this.#largest = largest;
    this.#scale = (BUCKETS - 1) / Math.max(Math.min(largest - smallest, RANGE), 1e-30);
    const counts = this.#counts.fill(0);
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (value > Number.NEGATIVE_INFINITY) counts[bucketOf(value, largest, this.#scale)]!++;
    }
  }

  /** Index of the entry at `position` of the descending order; position < count. */
  at(position: number): number {
    while (this.#gathered <= position) this.#gather();
    const key = this.#keys[position]!;
    return key - Math.floor(key / INDEX_RANGE) * INDEX_RANGE;
  }

  /** Gather and sort the next buckets. */
  #gather(): void {
    const first = this.#nextBucket;
    let expected = 0;
    let end = first;
    // Double the count each time: every round scans the whole row.
    const target = Math.max(ROUND, 2 * this.#gathered);
    while (end < BUCKETS && expected < target) expected += this.#counts[end++]!;
    const from = this.#gathered;
    let to = from;
    const values = this.#values;
    const keys = this.#keys;
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (!(value > Number.NEGATIVE_INFINITY)) continue;
      const bucket = bucketOf(value, this.#largest, this.#scale);
      if (bucket < first || bucket >= end) continue;
      // Float bits as an integer in the order of the floats (-0 is 0); negated, for an ascending sort to go downwards.
      const bits = value === 0 ? 0 : this.#bits[index]!;
      keys[to++] = -(bits >= 0 ? bits : bits ^ 0x7fffffff) * INDEX_RANGE + index;
    }
    keys.subarray(from, to).sort();
    this.#gathered = to;
    this.#nextBucket = end;
  }
}

/** Set every entry but the first `count` (at least one) of the ranking to -inf. `scores` must be the ranked row. */
export function keepFirst(scores: Float32Array, ranking: Ranking, count: number): void {
  if (count >= ranking.count) return;
  const lastId = ranking.at(count - 1);
  const min = scores[lastId]!;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (score < min || (score === min && id > lastId)) scores[id] = Number.NEGATIVE_INFINITY;
  }
}

/** The n-th largest entry, counting from 1, for n of at most a few hundred; -inf when there are fewer. */
export function nthLargest(values: Float32Array, n: number): number {
  const largest = new Float32Array(n).fill(Number.NEGATIVE_INFINITY);
  let min = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (!(value > min)) continue;
    let at = n - 1;
    for (; at > 0 && largest[at - 1]! < value; at--) largest[at] = largest[at - 1]!;
    largest[at] = value;
    min = largest[n - 1]!;
  }
  return min;
}

function bucketOf(value: number, largest: number, scale: number): number {
  if (value === largest) return 0;
  const bucket = (largest - value) * scale;
  return bucket >= BUCKETS - 1 ? BUCKETS - 1 : bucket | 0;
}
