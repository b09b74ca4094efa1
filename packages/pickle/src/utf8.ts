const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** UTF-8 with Python's `surrogatepass`: a surrogate may stand as three bytes. Null when it is not that. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return decodeWithSurrogates(bytes);
  }
}

/** The inverse: lone surrogates become three bytes each, where TextEncoder would lose them. */
export function encodeUtf8(text: string): Uint8Array {
  if (!/\p{Surrogate}/u.test(text)) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff)
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else for (const byte of encoder.encode(character)) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** Cut at each encoded surrogate; what lies between must be strict UTF-8. */
function decodeWithSurrogates(bytes: Uint8Array): string | null {
  const parts: string[] = [];
  let from = 0;
  try {
    for (let at = 0; at + 2 < bytes.length; at += 1) {
      const second = bytes[at + 1] ?? 0;
      const third = bytes[at + 2] ?? 0;
      if (bytes[at] !== 0xed || second < 0xa0 || second > 0xbf || (third & 0xc0) !== 0x80) continue;
      parts.push(strictDecoder.decode(bytes.subarray(from, at)));
      parts.push(String.fromCharCode(0xd000 | ((second & 63) << 6) | (third & 63)));
      from = at + 3;
      at += 2;
    }
    parts.push(strictDecoder.decode(bytes.subarray(from)));
  } catch {
    return null;
  }
  return parts.join('');
}
