/**
 * The finite entries of a row in descending order, ties by lowest index, sorted only as far as they are looked at:
 * entries are counted into buckets by their distance from the maximum, and a bucket is sorted when it is reached.
 * Full-vocabulary rows need the top few hundred of 50400, so this is far cheaper than a sort.
 *
 * One ranking at a time per `Ranking`: its buffers are reused by the next `rank`.
 */
export class Ranking {
  #keys: Float64Array = new Float64Array(0);
  readonly #starts: Int32Array = new Int32Array(BUCKETS + 1);
  readonly #cursors: Int32Array = new Int32Array(BUCKETS);
  #values: Float32Array | Float64Array = new Float32Array(0);
  #sortedBuckets = 0;
  /** Finite entries of the ranked row. */
  count = 0;

  /** Rank `values`; they must stay unchanged while positions are read. */
  rank(values: Float32Array | Float64Array): void {
    this.#values = values;
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
    this.count = count;
    this.#sortedBuckets = 0;
    // Beyond 40 below the maximum a softmax has nothing left: one bucket for all of that.
    const scale = (BUCKETS - 1) / Math.max(Math.min(largest - smallest, 40), 1e-30);
    const starts = this.#starts.fill(0);
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (value > Number.NEGATIVE_INFINITY) starts[bucketOf(value, largest, scale) + 1]!++;
    }
    for (let bucket = 0; bucket < BUCKETS; bucket++) starts[bucket + 1]! += starts[bucket]!;
    const cursors = this.#cursors;
    for (let bucket = 0; bucket < BUCKETS; bucket++) cursors[bucket] = starts[bucket]!;
    const keys = this.#keys;
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (value > Number.NEGATIVE_INFINITY) {
        const bucket = bucketOf(value, largest, scale);
        keys[cursors[bucket]!] = index;
        cursors[bucket]!++;
      }
    }
  }

  /** Index of the entry at `position` of the descending order; position < count. */
  at(position: number): number {
    while (this.#starts[this.#sortedBuckets]! <= position) {
      const from = this.#starts[this.#sortedBuckets]!;
      const to = this.#starts[this.#sortedBuckets + 1]!;
      this.#sortedBuckets++;
      if (to - from > 1) {
        const values = this.#values;
        this.#keys.subarray(from, to).sort((a, b) => values[b]! - values[a]! || a - b);
      }
    }
    return this.#keys[position]!;
  }
}

/** Set every entry but the first `count` of the ranking to -inf. `scores` must be the ranked row. */
export function keepFirst(scores: Float32Array, ranking: Ranking, count: number): void {
  if (count >= ranking.count) return;
  const kept = Array.from({ length: count }, (_, position) => {
    const id = ranking.at(position);
    return [id, scores[id]!] as const;
  });
  scores.fill(Number.NEGATIVE_INFINITY);
  for (const [id, score] of kept) scores[id] = score;
}

const BUCKETS = 4096;

function bucketOf(value: number, largest: number, scale: number): number {
  if (value === largest) return 0;
  const bucket = (largest - value) * scale;
  return bucket >= BUCKETS - 1 ? BUCKETS - 1 : bucket | 0;
}
