import { decodeHex, PickleError } from '@gptj-cloud/pickle';
import { ApiError } from '@gptj-cloud/protocol';
import { toSlices } from './file-slices-store.ts';

/**
 * Bytes of an uploaded part. Clients send the hex of the bytes as ASCII; before 0.0.39 they uploaded files as raw bytes. A
 * part whose first slice consists of digits is hex. (A pickle never looks like hex: from protocol 2 on it starts with
 * 0x80.) Throws `invalid_hex` for an odd number of digits, and for anything else after the first slice.
 */
export async function* decodeUpload(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isHex: boolean | null = null;
  // All slices but the last have an even length.
  for await (const slice of toSlices(chunks)) {
    isHex ??= slice.every(isDigit);
    yield isHex ? decode(slice) : slice;
  }
}

function isDigit(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66);
}

function decode(digits: Uint8Array): Uint8Array {
  try {
    return decodeHex(digits);
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new ApiError('invalid_hex', { reason: error.message }, { cause: error });
  }
}
