const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** UTF-8 with Python's `surrogatepass`: a surrogate may be encoded as three bytes. Null for invalid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  // Search for surrogates first: detecting them by the decoder's exceptions would cost microseconds per string.
  const parts: string[] = [];
  let from = 0;
  try {
    for (let at = indexOfSurrogate(bytes, 0); at >= 0; at = indexOfSurrogate(bytes, from)) {
      if (at > from) parts.push(strictDecoder.decode(bytes.subarray(from, at)));
      parts.push(String.fromCharCode(0xd000 | (((bytes[at + 1] ?? 0) & 63) << 6) | ((bytes[at + 2] ?? 0) & 63)));
      from = at + 3;
    }
    const rest = strictDecoder.decode(from === 0 ? bytes : bytes.subarray(from));
    return parts.length === 0 ? rest : parts.join('') + rest;
  } catch {
    return null;
  }
}

/** Index of the first ED A0..BF 80..BF at or after `from`, or -1. */
function indexOfSurrogate(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xed, from); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
    const second = bytes[at + 1] ?? 0;
    const third = bytes[at + 2] ?? 0;
    if (second >= 0xa0 && second <= 0xbf && (third & 0xc0) === 0x80) return at;
  }
  return -1;
}

/** The inverse: lone surrogates become three bytes each, where TextEncoder would lose them. */
export function encodeUtf8(text: string): Uint8Array {
  const utf8 = encoder.encode(text);
  // The encoder writes U+FFFD, whose first byte is EF, for a lone surrogate. Searching bytes is far faster than a pattern.
  if (utf8.indexOf(0xef) < 0 || !/\p{Surrogate}/u.test(text)) return utf8;
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff)
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else for (const byte of encoder.encode(character)) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
