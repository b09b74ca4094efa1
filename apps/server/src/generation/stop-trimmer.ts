/**
 * Cuts a stream of UTF-8 bytes where the first stop string begins. Bytes that may begin a stop string are buffered
 * until it is certain, so no part of a stop string is ever returned. Matching is by bytes, as the engine matches: a
 * stop string that no bytes can spell (half of a surrogate pair) never cuts.
 */
export interface StopTrimmer {
  /** Append `bytes`. Returns the bytes that are certainly not part of a stop string. */
  push(bytes: Uint8Array): Uint8Array;
  /** Flush the buffered bytes at the end. */
  end(): Uint8Array;
}

const NO_BYTES = new Uint8Array(0);

/** Empty stop strings stop nothing. */
export function createStopTrimmer(stops: readonly string[]): StopTrimmer {
  const patterns = toPatterns(stops);
  let held = Buffer.alloc(0);
  let stopped = false;
  return {
    push(bytes) {
      if (stopped) return NO_BYTES;
      if (patterns.length === 0) return bytes;
      const all = Buffer.concat([held, bytes]);
      const found = firstStop(all, patterns);
      stopped = found !== -1;
      const safe = stopped ? found : all.length - longestBeginning(all, patterns);
      held = stopped ? Buffer.alloc(0) : all.subarray(safe);
      return all.subarray(0, safe);
    },
    end() {
      const rest = held;
      held = Buffer.alloc(0);
      return rest;
    },
  };
}

/** Stop strings as the engine reads them: UTF-8, half of a surrogate pair as U+FFFD. */
function toPatterns(stops: readonly string[]): readonly Buffer[] {
  return stops.filter((stop) => stop !== '').map((stop) => Buffer.from(stop));
}

function firstStop(bytes: Buffer, patterns: readonly Buffer[]): number {
  let first = -1;
  for (const pattern of patterns) {
    const at = bytes.indexOf(pattern);
    if (at !== -1 && (first === -1 || at < first)) first = at;
  }
  return first;
}

/** Length of the longest suffix of `bytes` that is a proper prefix of a stop string. */
function longestBeginning(bytes: Buffer, patterns: readonly Buffer[]): number {
  let longest = 0;
  for (const pattern of patterns) {
    for (let length = Math.min(pattern.length - 1, bytes.length); length > longest; length--) {
      if (bytes.compare(pattern, 0, length, bytes.length - length) === 0) longest = length;
    }
  }
  return longest;
}
