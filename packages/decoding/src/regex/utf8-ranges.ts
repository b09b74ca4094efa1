export type ByteRange = readonly [from: number, to: number];

/** The byte sequences of code points `low` to `high`, as sequences of byte ranges. Surrogates have none. */
export function utf8Ranges(low: number, high: number): ByteRange[][] {
  const sizes: readonly (readonly [from: number, to: number, size: number])[] = [
    [0x00, 0x7f, 1],
    [0x80, 0x7ff, 2],
    [0x800, 0xd7ff, 3],
    [0xe000, 0xffff, 3],
    [0x10000, 0x10ffff, 4],
  ];
  return sizes.flatMap(([from, to, size]) => {
    const [first, last] = [Math.max(low, from), Math.min(high, to)];
    return first > last ? [] : splitRanges(encode(first, size), encode(last, size));
  });
}

/** Between two encodings of one length: split until every position is a range of its own. */
function splitRanges(low: readonly number[], high: readonly number[]): ByteRange[][] {
  const [lowHead, ...lowTail] = low;
  const [highHead, ...highTail] = high;
  if (lowHead === undefined || highHead === undefined) return [[]];
  if (lowTail.length === 0) return [[[lowHead, highHead]]];
  const prefixed = (head: ByteRange, tails: ByteRange[][]) => tails.map((tail): ByteRange[] => [head, ...tail]);
  const smallest = lowTail.map(() => 0x80);
  const largest = lowTail.map(() => 0xbf);
  if (lowHead === highHead) return prefixed([lowHead, lowHead], splitRanges(lowTail, highTail));
  const isWholeLow = lowTail.every((byte) => byte === 0x80);
  const isWholeHigh = highTail.every((byte) => byte === 0xbf);
  const from = isWholeLow ? lowHead : lowHead + 1;
  const to = isWholeHigh ? highHead : highHead - 1;
  return [
    ...(isWholeLow ? [] : prefixed([lowHead, lowHead], splitRanges(lowTail, largest))),
    ...(from > to ? [] : prefixed([from, to], [smallest.map((): ByteRange => [0x80, 0xbf])])),
    ...(isWholeHigh ? [] : prefixed([highHead, highHead], splitRanges(smallest, highTail))),
  ];
}

function encode(codePoint: number, size: number): number[] {
  if (size === 1) return [codePoint];
  const tail = Array.from({ length: size - 1 }, (_, at) => 0x80 | ((codePoint >> (6 * (size - 2 - at))) & 0x3f));
  const marks = [0, 0, 0xc0, 0xe0, 0xf0];
  return [marks[size]! | (codePoint >> (6 * (size - 1))), ...tail];
}
