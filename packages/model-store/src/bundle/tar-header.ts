/** The headers of a tar archive (POSIX ustar) with two plain files; sizes past 8 GiB are binary, as GNU tar writes them. */

export const TAR_BLOCK = 512;
const SIZE_AT = 124;
const SIZE_LENGTH = 12;
const SUM_AT = 148;
const MAGIC_AT = 257;
/** Largest number in eleven octal digits. */
const MAX_OCTAL = 8 ** 11 - 1;

export interface TarEntry {
  readonly name: string;
  readonly sizeBytes: number;
}

/** Bytes of the entry's data with its padding. */
export function paddedSize(sizeBytes: number): number {
  return Math.ceil(sizeBytes / TAR_BLOCK) * TAR_BLOCK;
}

export function tarHeader({ name, sizeBytes }: TarEntry): Uint8Array {
  const header = Buffer.alloc(TAR_BLOCK);
  header.write(name, 0, 100, 'utf8');
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  if (sizeBytes <= MAX_OCTAL) header.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, SIZE_AT);
  else {
    header[SIZE_AT] = 0x80;
    header.writeBigUInt64BE(BigInt(sizeBytes), SIZE_AT + SIZE_LENGTH - 8);
  }
  header.write('00000000000\0', 136);
  header.write('0', 156);
  header.write('ustar\x0000', MAGIC_AT);
  header.write(`${sumOf(header).toString(8).padStart(6, '0')}\0 `, SUM_AT);
  return header;
}

/** Null for bytes that are no header of a plain file. */
export function parseTarHeader(header: Uint8Array): TarEntry | null {
  const bytes = Buffer.from(header);
  if (bytes.byteLength < TAR_BLOCK || bytes.toString('latin1', MAGIC_AT, MAGIC_AT + 5) !== 'ustar') return null;
  const sum = Number.parseInt(bytes.toString('latin1', SUM_AT, SUM_AT + 8), 8);
  const type = bytes[156];
  if (sum !== sumOf(bytes) || (type !== 0x30 && type !== 0)) return null;
  const sizeBytes =
    bytes[SIZE_AT] === 0x80
      ? Number(bytes.readBigUInt64BE(SIZE_AT + SIZE_LENGTH - 8))
      : Number.parseInt(bytes.toString('latin1', SIZE_AT, SIZE_AT + SIZE_LENGTH), 8);
  const name = bytes.toString('utf8', 0, 100).split('\0')[0] ?? '';
  return Number.isSafeInteger(sizeBytes) && sizeBytes >= 0 ? { name, sizeBytes } : null;
}

/** Sum of the bytes, those of the sum itself as blanks. */
function sumOf(header: Uint8Array): number {
  return header.reduce((sum, byte, at) => sum + (at >= SUM_AT && at < SUM_AT + 8 ? 0x20 : byte), 0);
}
