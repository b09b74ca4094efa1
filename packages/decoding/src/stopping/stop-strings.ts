import type { TokenId } from '@gptj-cloud/model';

/**
 * Whether the last token of a sequence completes one of `stops`: the last byte of the stop string lies in the last token.
 * The token may reach beyond it ("st" + "opera" holds "stop"), and prompt tokens count (transformers 5.18,
 * `StopStringCriteria`); `start` is the first token that counts. Compared as UTF-8 bytes, so that a character split over
 * tokens is seen.
 */
export function stopStringRule(
  stops: readonly string[],
  tokenBytes: (token: TokenId) => Uint8Array,
  start = 0,
): (sequence: readonly TokenId[]) => boolean {
  const patterns = stops.map((stop) => new TextEncoder().encode(stop));
  const longest = Math.max(0, ...patterns.map((pattern) => pattern.length));
  return (sequence) => {
    const last = tokenBytes(sequence.at(-1)!);
    if (last.length === 0) return false;
    const before: number[] = [];
    for (let at = sequence.length - 2; at >= start && before.length < longest - 1; at--) {
      const bytes = tokenBytes(sequence[at]!);
      for (let byte = bytes.length - 1; byte >= 0 && before.length < longest - 1; byte--) before.push(bytes[byte]!);
    }
    const window = [...before.reverse(), ...last];
    return patterns.some((pattern) => occursAfter(window, pattern, before.length));
  };
}

/** Whether `pattern` occurs in `bytes` with its last byte at `from` or later. */
function occursAfter(bytes: readonly number[], pattern: Uint8Array, from: number): boolean {
  for (let start = Math.max(0, from - pattern.length + 1); start + pattern.length <= bytes.length; start++) {
    let at = 0;
    while (at < pattern.length && bytes[start + at] === pattern[at]) at++;
    if (at === pattern.length) return true;
  }
  return false;
}
