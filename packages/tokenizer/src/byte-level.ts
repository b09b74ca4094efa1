/**
 * The byte-level spelling of GPT-2: every byte is written as one printable character, so that a vocabulary file has
 * no control characters and no spaces. Printable bytes map to themselves; the other 68 map to U+0100 and up,
 * in order (a space is `Ġ`, a newline `Ċ`).
 */

const characterOfByte: readonly string[] = buildAlphabet();
const byteOfCharacter: ReadonlyMap<string, number> = new Map(
  characterOfByte.map((character, byte): [string, number] => [character, byte]),
);

function buildAlphabet(): string[] {
  const prints = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(prints(byte) ? byte : next++));
}

/** The character that spells one byte, 0 … 255. */
export function spellByte(byte: number): string {
  return characterOfByte[byte]!;
}

/** The bytes of a byte-level spelling; null when it has a character outside the alphabet. */
export function spelledBytes(spelling: string): Uint8Array | null {
  const bytes = new Uint8Array(spelling.length);
  for (let i = 0; i < spelling.length; i++) {
    const byte = byteOfCharacter.get(spelling[i]!);
    if (byte === undefined) return null;
    bytes[i] = byte;
  }
  return bytes;
}
