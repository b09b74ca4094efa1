/** Headers of a tar archive: POSIX ustar with pax and GNU extensions for long names and large sizes. */
import { CheckpointError } from '../checkpoint-error.ts';

export const TAR_BLOCK_BYTES = 512;

/** An extension's name or records may have this many bytes. */
const MAX_EXTENSION_BYTES = 64 * 1024;

export interface TarMember {
  readonly name: string;
  readonly sizeBytes: number;
  readonly isFile: boolean;
}

/** Bytes that the archive has for a member of this size. */
export function paddedBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
}

/** Whether a file begins as a tar archive. */
export function isTarHeader(block: Uint8Array): boolean {
  return block.byteLength === TAR_BLOCK_BYTES && textOf(block.subarray(257, 262)) === 'ustar';
}

/** Reads the next `count` bytes. Throws `truncated`. */
type ReadNext = (count: number) => Promise<Uint8Array>;

/**
 * The next member, whose data follow; null at the end of the archive. Names are data: nothing is written under them. Throws
 * `malformed`, `unsupported`, `too_large`, `truncated`.
 */
export async function readTarHeader(file: string, next: ReadNext): Promise<TarMember | null> {
  let longName: string | null = null;
  let longSize: number | null = null;
  for (let extensions = 0; extensions <= 8; extensions++) {
    const block = await next(TAR_BLOCK_BYTES);
    if (block.every((byte) => byte === 0)) return null;
    checkSum(file, block);
    const sizeBytes = longSize ?? numberAt(file, block, 124, 12);
    const type = String.fromCharCode(block[156] ?? 0);
    if (type === 'L' || type === 'x' || type === 'g') {
      if (sizeBytes > MAX_EXTENSION_BYTES) {
        throw new CheckpointError(
          'too_large',
          { file },
          `expected a name of at most ${MAX_EXTENSION_BYTES} bytes, got ${sizeBytes}`,
        );
      }
      const data = (await next(paddedBytes(sizeBytes))).subarray(0, sizeBytes);
      if (type === 'L') longName = textOf(data);
      if (type === 'x') {
        const records = paxRecords(file, data);
        longName = records.get('path') ?? longName;
        longSize = records.has('size') ? sizeOf(file, records.get('size') ?? '') : longSize;
      }
      continue;
    }
    const prefix = textOf(block.subarray(257, 262)) === 'ustar' ? textOf(block.subarray(345, 500)) : '';
    const short = textOf(block.subarray(0, 100));
    const name = longName ?? (prefix === '' ? short : `${prefix}/${short}`);
    if (type === 'S') {
      throw new CheckpointError(
        'unsupported',
        { file },
        `expected ${JSON.stringify(name)} as a whole file, got a sparse one`,
      );
    }
    const isFile = type === '0' || type === '\0' || type === '7';
    // Links and folders have no data, whatever their size field says.
    return { name, isFile, sizeBytes: isFile ? sizeBytes : 0 };
  }
  throw new CheckpointError('malformed', { file }, 'expected a member after at most 8 extension headers');
}

/** The sum of all bytes, with blanks in place of the field itself. */
function checkSum(file: string, block: Uint8Array): void {
  const stated = numberAt(file, block, 148, 8);
  const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  if (sum !== stated) {
    throw new CheckpointError(
      'malformed',
      { file },
      `expected a tar header, got bytes with the sum ${sum} in place of ${stated}`,
    );
  }
}

/** Octal digits, or a big-endian number after a byte with the highest bit set. */
function numberAt(file: string, block: Uint8Array, at: number, length: number): number {
  const field = block.subarray(at, at + length);
  if (((field[0] ?? 0) & 0x80) !== 0) {
    const value = field.reduce((sum, byte, i) => sum * 256 + (i === 0 ? byte & 0x7f : byte), 0);
    return checkSize(file, value);
  }
  const text = textOf(field).trim();
  if (!/^[0-7]*$/.test(text)) {
    throw new CheckpointError(
      'malformed',
      { file },
      `expected an octal number in a tar header, got ${JSON.stringify(text)}`,
    );
  }
  return checkSize(file, text === '' ? 0 : Number.parseInt(text, 8));
}

function sizeOf(file: string, text: string): number {
  if (!/^\d+$/.test(text))
    throw new CheckpointError('malformed', { file }, `expected a size, got ${JSON.stringify(text.slice(0, 40))}`);
  return checkSize(file, Number(text));
}

function checkSize(file: string, value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new CheckpointError('malformed', { file }, `expected a size below 2^53 in a tar header, got ${value}`);
}

/** Records `LENGTH KEY=VALUE\n`. */
function paxRecords(file: string, data: Uint8Array): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < data.byteLength; ) {
    const blank = data.indexOf(0x20, at);
    const length = blank < 0 ? 0 : Number(textOf(data.subarray(at, blank)));
    const end = at + length;
    const record =
      Number.isInteger(length) && end > blank && end <= data.byteLength
        ? textOf(data.subarray(blank + 1, end - 1))
        : '';
    const equals = record.indexOf('=');
    if (equals < 0) throw new CheckpointError('malformed', { file }, 'expected pax records in a tar header');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
}

/** Up to the first zero. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
