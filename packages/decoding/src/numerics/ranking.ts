const BUCKETS = 2048;
/** Minimum number of entries in the first sort: enough for most callers. */
const ROUND = 128;
/** Times as many entries in each further round. */
const GROWTH = 8;
/** More entries than this are sorted by radix, whose time is linear. */
const MAX_COMPARED = 600;
const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;
/** Steps of either sort per entry. */
const RADIX_STEPS = 16;
const COMPARISON_STEPS = 50;
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
  /** Indices of the gathered entries, in order. */
  #order: Int32Array = new Int32Array(0);
  #gathered = 0;
  readonly #counts: Int32Array = new Int32Array(BUCKETS);
  #nextBucket = 0;
  #largest = 0;
  #scale = 0;
  #count = 0;
  #steps = 0;

  /** Entries above -inf of the ranked row. NaN is none. */
  get count(): number {
    return this.#count;
  }

  /** Steps taken since `rank` was called. */
  get steps(): number {
    return this.#steps;
  }

  /** Rank `values` (at most 2^20); they must stay unchanged while positions are read. */
  rank(values: Float32Array): void {
    this.#values = values;
    this.#bits = new Int32Array(values.buffer, values.byteOffset, values.length);
    if (this.#order.length < values.length) this.#order = new Int32Array(values.length);
    this.#steps = 5 * values.length + BUCKETS;
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
    return this.#order[position]!;
  }

  /** Gather and sort the next buckets. */
  #gather(): void {
    const first = this.#nextBucket;
    let expected = 0;
    let end = first;
    // Several times as many each time: every round scans the whole row.
    const target = Math.max(ROUND, GROWTH * this.#gathered);
    while (end < BUCKETS && expected < target) expected += this.#counts[end++]!;
    const values = this.#values;
    const order = this.#order.subarray(this.#gathered);
    const buffers = radixBuffers(expected);
    let size = 0;
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (!(value > Number.NEGATIVE_INFINITY)) continue;
      const bucket = bucketOf(value, this.#largest, this.#scale);
      if (bucket < first || bucket >= end) continue;
      // -0 is 0.
      const bits = value === 0 ? 0 : this.#bits[index]!;
      // Ascending unsigned integers in the descending order of the floats.
      buffers.keys[size] = bits >= 0 ? ~bits ^ 0x80000000 : bits;
      order[size++] = index;
    }
    if (size <= MAX_COMPARED) sortByComparison(buffers.keys, order, size);
    else sortByRadix(buffers, order, size);
    this.#gathered += size;
    this.#nextBucket = end;
    this.#steps +=
      3 * values.length + (size <= MAX_COMPARED ? COMPARISON_STEPS * size : RADIX_STEPS * size + 3 * DIGITS);
  }
}

/** Sort `order` by ascending key, equal keys by index, which is their present order. */
function sortByComparison(keys: Uint32Array, order: Int32Array, size: number): void {
  const packed = new Float64Array(size);
  for (let at = 0; at < size; at++) packed[at] = keys[at]! * INDEX_RANGE + order[at]!;
  packed.sort();
  for (let at = 0; at < size; at++) order[at] = packed[at]! - Math.floor(packed[at]! / INDEX_RANGE) * INDEX_RANGE;
}

interface RadixBuffers {
  keys: Uint32Array;
  otherKeys: Uint32Array;
  otherOrder: Int32Array;
}

let buffers: RadixBuffers | null = null;
const positions = new Int32Array(DIGITS);

function radixBuffers(size: number): RadixBuffers {
  if (buffers === null || buffers.keys.length < size) {
    buffers = {
      keys: new Uint32Array(size),
      otherKeys: new Uint32Array(size),
      otherOrder: new Int32Array(size),
    };
  }
  return buffers;
}

/** Sort `order` by ascending key, equal keys in their present order: one pass for each digit of 11 bits. */
function sortByRadix({ keys, otherKeys, otherOrder }: RadixBuffers, order: Int32Array, size: number): void {
  let [fromKeys, toKeys] = [keys, otherKeys];
  let [from, to] = [order, otherOrder];
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    positions.fill(0);
    for (let at = 0; at < size; at++) positions[(fromKeys[at]! >>> shift) & (DIGITS - 1)]!++;
    let next = 0;
    for (let digit = 0; digit < DIGITS; digit++) {
      const count = positions[digit]!;
      positions[digit] = next;
      next += count;
    }
    for (let at = 0; at < size; at++) {
      const key = fromKeys[at]!;
      const place = positions[(key >>> shift) & (DIGITS - 1)]!++;
      toKeys[place] = key;
      to[place] = from[at]!;
    }
    [fromKeys, toKeys] = [toKeys, fromKeys];
    [from, to] = [to, from];
  }
  // Three passes: the result is in the other buffer.
  order.set(from.subarray(0, size));
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

/**
 * The n-th largest entry, counting from 1, for n of at most a few hundred; -inf when there are fewer. Candidates are
 * collected and sorted in blocks, so that an ascending row takes no longer than another.
 */
export function nthLargest(values: Float32Array, n: number): number {
  const block = new Float32Array(2 * n + 64);
  let size = 0;
  let min = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (!(value > min)) continue;
    block[size++] = value;
    if (size < block.length) continue;
    block.sort();
    block.copyWithin(0, size - n);
    size = n;
    min = block[0]!;
  }
  return size < n ? Number.NEGATIVE_INFINITY : block.subarray(0, size).sort()[size - n]!;
}

function bucketOf(value: number, largest: number, scale: number): number {
  if (value === largest) return 0;
  const bucket = (largest - value) * scale;
  return bucket >= BUCKETS - 1 ? BUCKETS - 1 : bucket | 0;
}
