/**
 * The directory of a zip archive whose entries are stored, not compressed, as `torch.save` writes it: gives
 * the offset of each entry's bytes. APPNOTE.TXT 6.3.9, sections 4.3 and 4.5 (zip64).
 */
import type { ByteSource } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { MAX_TENSORS } from '../stored-tensor.ts';

export interface ZipEntry {
  readonly name: string;
  /** Of the local header; the bytes follow it, see {@link entryDataOffset}. */
  readonly headerOffset: number;
  readonly sizeBytes: number;
}

/** An archive's entries by name, and the offset of its directory: no entry may extend past it. */
export interface ZipDirectory {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly startOffset: number;
}

const MAX_DIRECTORY_BYTES = 32 * 1024 * 1024;
const END_SIGNATURE = 0x06054b50;
const END64_SIGNATURE = 0x06064b50;
const LOCATOR_SIGNATURE = 0x07064b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
/** In a 32-bit field: the value is in the zip64 extra field. */
const IN_EXTRA = 0xffffffff;

/** Throws `malformed`, `too_large`, `truncated`, and `unsupported` for compressed or encrypted entries. */
export async function readZipDirectory(file: ByteSource): Promise<ZipDirectory> {
  const { count, size, offset, endOffset } = await readEnd(file);
  if (count > 2 * MAX_TENSORS || size > MAX_DIRECTORY_BYTES) {
    throw malformed(
      file,
      `expected a directory of at most ${MAX_DIRECTORY_BYTES} bytes, got ${size} for ${count} entries`,
    );
  }
  if (offset + size > endOffset) {
    throw malformed(file, `expected the directory to end before byte ${endOffset}, got ${offset} + ${size}`);
  }
  const bytes = new Uint8Array(size);
  await file.read(offset, bytes);
  const view = new DataView(bytes.buffer);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > size || view.getUint32(at, true) !== ENTRY_SIGNATURE) {
      throw malformed(file, `expected ${count} directory entries, got ${i}`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + ENTRY_BYTES + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > size) throw malformed(file, `directory entry ${i} reaches past the directory`);
    const entry = parseEntry(file, view, at, nameLength, extraLength);
    if (entry.headerOffset + LOCAL_BYTES + entry.sizeBytes > offset) {
      throw malformed(file, `${entry.name} reaches past the archive's data`);
    }
    if (entries.has(entry.name)) throw malformed(file, `expected one entry ${entry.name}, got two`);
    entries.set(entry.name, entry);
    at = next;
  }
  return { entries, startOffset: offset };
}

/** Offset of an entry's bytes: its local header may be longer than in the directory, as torch pads to 64 bytes. */
export async function entryDataOffset(file: ByteSource, directory: ZipDirectory, entry: ZipEntry): Promise<number> {
  const header = new Uint8Array(LOCAL_BYTES);
  await file.read(entry.headerOffset, header);
  const view = new DataView(header.buffer);
  if (view.getUint32(0, true) !== LOCAL_SIGNATURE || view.getUint16(8, true) !== 0) {
    throw malformed(file, `expected a stored entry at byte ${entry.headerOffset} for ${entry.name}`);
  }
  const start = entry.headerOffset + LOCAL_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + entry.sizeBytes > directory.startOffset)
    throw malformed(file, `${entry.name} reaches past the archive's data`);
  return start;
}

interface End {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
  /** Offset of the end records. */
  readonly endOffset: number;
}

async function readEnd(file: ByteSource): Promise<End> {
  // A comment of up to 65,535 bytes, or other bytes, may follow the record.
  const tail = new Uint8Array(Math.min(file.sizeBytes, END_BYTES + 0xffff));
  const tailOffset = file.sizeBytes - tail.byteLength;
  await file.read(tailOffset, tail);
  const view = new DataView(tail.buffer);
  const at = findEnd(view, tailOffset);
  if (at < 0) {
    throw new CheckpointError(
      'truncated',
      { file: file.path },
      'expected a zip directory at the end, got none: the file is cut off',
    );
  }
  const locatorOffset = tailOffset + at - LOCATOR_BYTES;
  if (locatorOffset >= 0) {
    const locator = new Uint8Array(LOCATOR_BYTES);
    await file.read(locatorOffset, locator);
    const locatorView = new DataView(locator.buffer);
    if (locatorView.getUint32(0, true) === LOCATOR_SIGNATURE) {
      return readEnd64(file, toSafe(file, locatorView.getBigUint64(8, true)), locatorOffset);
    }
  }
  return {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
    endOffset: tailOffset + at,
  };
}

/**
 * Offset of the end record: the last signature whose comment fits and whose directory is before it. Bytes after
 * it are ignored, as PyTorch's own reader does. -1 for none.
 */
function findEnd(view: DataView, tailOffset: number): number {
  for (let at = view.byteLength - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== END_SIGNATURE) continue;
    const commentEnd = at + END_BYTES + view.getUint16(at + 20, true);
    const size = view.getUint32(at + 12, true);
    const offset = view.getUint32(at + 16, true);
    const isZip64 = size === IN_EXTRA || offset === IN_EXTRA;
    if (commentEnd <= view.byteLength && (isZip64 || offset + size <= tailOffset + at)) return at;
  }
  return -1;
}

async function readEnd64(file: ByteSource, offset: number, locatorOffset: number): Promise<End> {
  if (offset + END64_BYTES > locatorOffset) throw malformed(file, 'the zip64 end record is out of place');
  const record = new Uint8Array(END64_BYTES);
  await file.read(offset, record);
  const view = new DataView(record.buffer);
  if (view.getUint32(0, true) !== END64_SIGNATURE)
    throw malformed(file, `expected a zip64 end record at byte ${offset}`);
  return {
    count: toSafe(file, view.getBigUint64(32, true)),
    size: toSafe(file, view.getBigUint64(40, true)),
    offset: toSafe(file, view.getBigUint64(48, true)),
    endOffset: offset,
  };
}

function parseEntry(file: ByteSource, view: DataView, at: number, nameLength: number, extraLength: number): ZipEntry {
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + ENTRY_BYTES, nameLength));
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  if ((flags & 1) !== 0 || method !== 0) {
    throw new CheckpointError(
      'unsupported',
      { file: file.path },
      `expected ${JSON.stringify(name)} stored as it is, got ${(flags & 1) !== 0 ? 'it encrypted' : `compression method ${method}`}; save it without compression`,
    );
  }
  let compressed = view.getUint32(at + 20, true);
  let sizeBytes = view.getUint32(at + 24, true);
  let headerOffset = view.getUint32(at + 42, true);
  let extra = at + ENTRY_BYTES + nameLength;
  const extraEnd = extra + extraLength;
  while (extra + 4 <= extraEnd) {
    const id = view.getUint16(extra, true);
    const end = extra + 4 + view.getUint16(extra + 2, true);
    if (end > extraEnd) throw malformed(file, `the extra field of ${name} is cut off`);
    if (id === 1) {
      let field = extra + 4;
      const wide = (value: number): number => {
        if (value !== IN_EXTRA) return value;
        if (field + 8 > end) throw malformed(file, `the zip64 field of ${name} is cut off`);
        field += 8;
        return toSafe(file, view.getBigUint64(field - 8, true));
      };
      sizeBytes = wide(sizeBytes);
      compressed = wide(compressed);
      headerOffset = wide(headerOffset);
    }
    extra = end;
  }
  if (compressed !== sizeBytes) throw malformed(file, `expected ${name} in ${sizeBytes} bytes, got ${compressed}`);
  return { name, headerOffset, sizeBytes };
}

function toSafe(file: ByteSource, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw malformed(file, `expected an offset within the file, got ${value}`);
  return Number(value);
}

function malformed(file: ByteSource, message: string): CheckpointError {
  return new CheckpointError('malformed', { file: file.path }, message);
}
