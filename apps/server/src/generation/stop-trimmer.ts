/**
 * Cuts a stream of UTF-8 bytes where the first stop string begins. Bytes that may begin a stop string are held back
 * until later bytes decide, so no part of a stop string is ever shown. Matching is by bytes, as the engine matches: a
 * stop string that no bytes can spell (half of a surrogate pair) never cuts.
 */
export interface StopTrimmer {
  /** Bytes that can be shown, now that `bytes` have come. */
  push(bytes: Uint8Array): Uint8Array;
  /** The bytes that were held back, when no more come. */
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

/** Length of the longest end of `bytes` that begins a stop string without being all of it. */
function longestBeginning(bytes: Buffer, patterns: readonly Buffer[]): number {
  let longest = 0;
  for (const pattern of patterns) {
    for (let length = Math.min(pattern.length - 1, bytes.length); length > longest; length--) {
      if (bytes.compare(pattern, 0, length, bytes.length - length) === 0) longest = length;
    }
  }
  return longest;
}
