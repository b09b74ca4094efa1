/** Sets of tokens of one vocabulary in bounded memory, the least recently used dropped first. */
export interface TokenSets<Key> {
  /** The tokens kept for the key, ascending, or null. The next call overwrites them. */
  readonly get: (key: Key) => Int32Array | null;
  /** Keep the tokens whose bits are set. Returns them like `get`. */
  readonly put: (key: Key, bits: Uint32Array) => Int32Array;
}

/** Bytes of an entry beside its tokens. */
const ENTRY_BYTES = 150;

/** `maxBytes` of sets. Large ones are kept as one bit a token. */
export function tokenSets<Key>(maxBytes: number): TokenSets<Key> {
  const kept = new Map<Key, Uint32Array | Int32Array>();
  let bytes = 0;
  let scratch = new Int32Array(0);

  function toTokens(bits: Uint32Array): Int32Array {
    if (scratch.length < 32 * bits.length) scratch = new Int32Array(32 * bits.length);
    let count = 0;
    for (let at = 0; at < bits.length; at++) {
      for (let word = bits[at]!; word !== 0; ) {
        // The lowest bit.
        const bit = 31 - Math.clz32(word & -word);
        scratch[count++] = 32 * at + bit;
        word = (word & (word - 1)) >>> 0;
      }
    }
    return scratch.subarray(0, count);
  }

  return {
    get: (key) => {
      const entry = kept.get(key);
      if (entry === undefined) return null;
      kept.delete(key);
      kept.set(key, entry);
      return entry instanceof Int32Array ? entry : toTokens(entry);
    },
    put: (key, bits) => {
      const tokens = toTokens(bits);
      const entry = tokens.byteLength < bits.byteLength ? tokens.slice() : bits.slice();
      kept.set(key, entry);
      bytes += ENTRY_BYTES + entry.byteLength;
      for (const [oldest, { byteLength }] of kept) {
        if (bytes <= maxBytes) break;
        kept.delete(oldest);
        bytes -= ENTRY_BYTES + byteLength;
      }
      return tokens;
    },
  };
}
