import { PickleError } from './pickle-error.ts';

/**
 * Bytes from hexadecimal text of either case, given as a string or as the ASCII bytes of an upload.
 *
 * Throws `PickleError`: `hex_digit` for any other character, white space included, `hex_odd_length`.
 */
export function decodeHex(text: string | Uint8Array): Uint8Array {
  const digits = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const bytes = new Uint8Array(digits.length >> 1);
  for (let at = 0; at < digits.length; at += 1) {
    const code = digits[at] ?? 0;
    const digit = hexDigit(code);
    if (digit < 0) {
      const got = `0x${code.toString(16).padStart(2, '0')}`;
      throw new PickleError('hex_digit', `expected hexadecimal digits only, got byte ${got}`, at);
    }
    if (at >> 1 < bytes.length) bytes[at >> 1] = ((bytes[at >> 1] ?? 0) << 4) | digit;
  }
  if (digits.length % 2 === 0) return bytes;
  throw new PickleError('hex_odd_length', `expected two digits for each byte, got ${digits.length} digits`, null);
}

/** 0 to 15, or -1. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
