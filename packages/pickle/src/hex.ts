import { PickleError } from './pickle-error.ts';

/**
 * Bytes from hexadecimal text of either case, given as a string or as the ASCII bytes of an upload.
 *
 * Throws `PickleError`: `hex_digit` for any other character, white space included, `hex_odd_length`.
 */
export function decodeHex(text: string | Uint8Array): Uint8Array {
  const digits = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const bytes = new Uint8Array(digits.length >> 1);
  decodeRange(digits, bytes, 0, digits.length);
  requireEven(digits);
  return bytes;
}

/** The same in parts, between which the caller may let other work run. `pause` is awaited after some milliseconds of work. */
export async function decodeHexInParts(digits: Uint8Array, pause: () => Promise<void>): Promise<Uint8Array> {
  const bytes = new Uint8Array(digits.length >> 1);
  for (let from = 0; from < digits.length; from += PART) {
    if (from > 0) await pause();
    decodeRange(digits, bytes, from, Math.min(digits.length, from + PART));
  }
  requireEven(digits);
  return bytes;
}

/** Digits of one part; even. */
const PART = 2 ** 19;

function decodeRange(digits: Uint8Array, bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at += 1) {
    const code = digits[at] ?? 0;
    const digit = hexDigit(code);
    if (digit < 0) {
      const got = `0x${code.toString(16).padStart(2, '0')}`;
      throw new PickleError('hex_digit', `expected hexadecimal digits only, got byte ${got}`, at);
    }
    if (at >> 1 < bytes.length) bytes[at >> 1] = ((bytes[at >> 1] ?? 0) << 4) | digit;
  }
}

function requireEven({ length }: Uint8Array): void {
  if (length % 2 === 0) return;
  throw new PickleError('hex_odd_length', `expected two digits for each byte, got ${length} digits`, null);
}

/** 0 to 15, or -1. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
