/**
 * Length of the incomplete UTF-8 character at the end of `bytes`: 1 to 3, or 0 if they end with a complete character or
 * with invalid bytes.
 */
export function incompleteCharacterLength(bytes: Uint8Array): number {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const first = bytes[bytes.length - length]!;
    if (first < 0x80) return 0;
    const isContinuation = first < 0xc0;
    if (!isContinuation) return isIncompleteCharacter(bytes.subarray(bytes.length - length)) ? length : 0;
  }
  return 0;
}

/** Whether `bytes` begin one UTF-8 character and do not end it. */
function isIncompleteCharacter(bytes: Uint8Array): boolean {
  return bytes.length > 0 && decodeBeginning(bytes) === '';
}

/** Whether `bytes` are UTF-8 except for an incomplete character at the end. */
export function isBeginningOfText(bytes: Uint8Array): boolean {
  return decodeBeginning(bytes) !== null;
}

/** The whole characters of `bytes`; null where they are not UTF-8. */
function decodeBeginning(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
  } catch {
    return null;
  }
}
