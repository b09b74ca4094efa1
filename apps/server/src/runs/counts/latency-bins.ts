/**
 * Bins of a logarithmic scale of milliseconds, eight for each doubling: a value differs from the middle of its bin by less
 * than 5 %, and 250 bins hold every time up to 24 days.
 */
const BINS_PER_DOUBLING = 8;

/** The bin of a time of at least 0 ms. */
export function binOf(ms: number): number {
  return Math.floor(BINS_PER_DOUBLING * Math.log2(Math.max(0, ms) + 1));
}

/** The middle of a bin, in whole milliseconds. */
export function msOf(bin: number): number {
  const bound = (at: number): number => 2 ** (at / BINS_PER_DOUBLING) - 1;
  return Math.round((bound(bin) + bound(bin + 1)) / 2);
}
