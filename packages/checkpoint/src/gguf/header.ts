/**
 * The header of a GGUF file, version 3: magic, version, counts, key-value pairs, tensor infos, padding, then data.
 * Facts from ggml/src/gguf.cpp of llama.cpp v0.5.0, whose loader also requires the tensors in order without gaps.
 */
import type { BoundedFile } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { FOREIGN_FILE_BYTES, fileKind } from '../foreign-file.ts';
import { MAX_TENSORS } from '../stored-tensor.ts';
import { elementCount, rowBytes, TENSOR_TYPES, type TensorType, tensorTypeById } from '../tensor-type.ts';
import { ByteCursor, NeedMoreBytes } from './byte-cursor.ts';
import {
  align,
  GGUF_ALIGNMENT,
  GGUF_ARRAY_ID,
  GGUF_ITEM_TYPES,
  GGUF_MAGIC,
  GGUF_VERSION,
  type GgufItemType,
  type GgufMetadata,
  type GgufValue,
} from './metadata.ts';

/** One tensor of a GGUF file. */
export interface GgufTensorInfo {
  readonly name: string;
  /** Row-major, slowest first: the reverse of the file's order. */
  readonly shape: readonly number[];
  /** Null for an unsupported type; `typeId` has its number. */
  readonly type: TensorType | null;
  readonly typeId: number;
  /** From the start of the file. */
  readonly offset: number;
  /** Null when the type is. */
  readonly sizeBytes: number | null;
}

export interface GgufHeader {
  readonly metadata: GgufMetadata;
  readonly tensors: readonly GgufTensorInfo[];
}

/** GPT-J's is 2 MB: nearly all of it vocabulary. */
export const MAX_HEADER_BYTES: number = 64 * 1024 * 1024;
const FIRST_READ_BYTES = 4 * 1024 * 1024;
const MAX_PAIRS = 1 << 14;
const MAX_STRING_BYTES = 1 << 24;
const MAX_NAME_BYTES = 1 << 10;
/** GGML_MAX_NAME and GGML_MAX_DIMS. */
const MAX_TENSOR_NAME_BYTES = 63;
const MAX_DIMENSIONS = 4;
const MAX_ALIGNMENT = 1 << 20;

const ITEM_TYPES_BY_ID: ReadonlyMap<number, GgufItemType> = new Map(
  (Object.keys(GGUF_ITEM_TYPES) as GgufItemType[]).map((type) => [GGUF_ITEM_TYPES[type].id, type]),
);

/** Throws `malformed`, `unsupported`, `too_large`, `truncated`, `duplicate_tensor`. */
export async function readGgufHeader(file: BoundedFile): Promise<GgufHeader> {
  const max = Math.min(file.sizeBytes, MAX_HEADER_BYTES);
  for (let size = Math.min(FIRST_READ_BYTES, max); ; size = Math.min(4 * size, max)) {
    const bytes = new Uint8Array(size);
    await file.read(0, bytes);
    try {
      return parseHeader(
        file,
        bytes.subarray(0, FOREIGN_FILE_BYTES),
        new ByteCursor(file.path, bytes, size < file.sizeBytes),
      );
    } catch (error) {
      if (!(error instanceof NeedMoreBytes)) throw error;
      if (size === max) {
        throw new CheckpointError(
          'too_large',
          { file: file.path },
          `expected a header of at most ${MAX_HEADER_BYTES} bytes`,
        );
      }
    }
  }
}

function parseHeader(file: BoundedFile, start: Uint8Array, cursor: ByteCursor): GgufHeader {
  const place = { file: file.path };
  const magic = cursor.uint32();
  if (magic !== GGUF_MAGIC) {
    throw new CheckpointError('malformed', place, `expected a GGUF file, got ${fileKind(start)}`);
  }
  const version = cursor.uint32();
  if (version !== GGUF_VERSION) {
    const bigEndian = version === GGUF_VERSION << 24;
    throw new CheckpointError(
      'unsupported',
      place,
      `expected GGUF version ${GGUF_VERSION}, got ${bigEndian ? 'a big-endian file' : version}; convert the model again`,
    );
  }
  const tensorCount = cursor.count('number of tensors', MAX_TENSORS);
  const pairCount = cursor.count('number of metadata pairs', MAX_PAIRS);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < pairCount; i++) {
    const key = cursor.string(`metadata key ${i}`, MAX_NAME_BYTES);
    if (key === '' || metadata.has(key)) {
      throw new CheckpointError(
        'malformed',
        place,
        `metadata key ${i}: expected a unique name of valid length, got ${JSON.stringify(key)}`,
      );
    }
    metadata.set(key, parseValue(file, cursor, key));
  }
  const infos = parseTensorInfos(file, cursor, tensorCount);
  const alignment = readAlignment(file, metadata);
  const dataStart = align(cursor.offset, alignment);
  return { metadata, tensors: placeTensors(file, infos, dataStart, alignment) };
}

function parseValue(file: BoundedFile, cursor: ByteCursor, key: string): GgufValue {
  const id = cursor.uint32();
  const isArray = id === GGUF_ARRAY_ID;
  const itemId = isArray ? cursor.uint32() : id;
  const type = ITEM_TYPES_BY_ID.get(itemId);
  if (type === undefined) {
    const got = itemId === GGUF_ARRAY_ID ? 'an array of arrays' : `type ${itemId}`;
    throw new CheckpointError(
      'unsupported',
      { file: file.path },
      `metadata ${key}: expected a plain value or a flat array, got ${got}`,
    );
  }
  if (isArray) return cursor.array(type, key, MAX_STRING_BYTES);
  if (type === 'string') return { type, value: cursor.string(key, MAX_STRING_BYTES) };
  if (type === 'bool') return { type, value: cursor.bool() };
  if (type === 'uint64') return { type, value: cursor.uint64() };
  if (type === 'int64') return { type, value: cursor.int64() };
  return { type, value: cursor.number(type) };
}

/** A tensor info whose offset counts from the start of the data. */
function parseTensorInfos(file: BoundedFile, cursor: ByteCursor, count: number): GgufTensorInfo[] {
  const names = new Set<string>();
  const infos: GgufTensorInfo[] = [];
  for (let i = 0; i < count; i++) {
    const name = cursor.string(`name of tensor ${i}`, MAX_TENSOR_NAME_BYTES);
    const place = { file: file.path, tensor: name };
    if (names.has(name))
      throw new CheckpointError('duplicate_tensor', place, 'expected one tensor of this name, got two');
    names.add(name);
    const dimensions = cursor.uint32();
    if (dimensions > MAX_DIMENSIONS) {
      throw new CheckpointError('malformed', place, `expected at most ${MAX_DIMENSIONS} dimensions, got ${dimensions}`);
    }
    const shape: number[] = [];
    for (let d = 0; d < dimensions; d++) shape.unshift(cursor.count(`dimension of ${name}`, Number.MAX_SAFE_INTEGER));
    const typeId = cursor.uint32();
    const type = tensorTypeById(typeId);
    const offset = cursor.count(`offset of ${name}`, Number.MAX_SAFE_INTEGER);
    if (!Number.isSafeInteger(elementCount(shape) * 4)) {
      throw new CheckpointError('malformed', place, `expected a shape that fits in a file, got [${shape}]`);
    }
    const rowLength = shape[shape.length - 1] ?? 1;
    if (type !== null && rowLength % TENSOR_TYPES[type].blockSize !== 0) {
      throw new CheckpointError(
        'wrong_shape',
        place,
        `expected rows of a multiple of ${TENSOR_TYPES[type].blockSize} for ${type}, got ${rowLength}`,
      );
    }
    const sizeBytes = type === null ? null : rowBytes(type, elementCount(shape));
    infos.push({ name, shape, type, typeId, offset, sizeBytes });
  }
  return infos;
}

function readAlignment(file: BoundedFile, metadata: GgufMetadata): number {
  const entry = metadata.get('general.alignment');
  if (entry === undefined) return GGUF_ALIGNMENT;
  const { value } = entry;
  if (
    entry.type !== 'uint32' ||
    typeof value !== 'number' ||
    value < 8 ||
    value > MAX_ALIGNMENT ||
    !Number.isInteger(Math.log2(value))
  ) {
    throw new CheckpointError(
      'malformed',
      { file: file.path },
      `general.alignment: expected a power of two from 8 to ${MAX_ALIGNMENT}, got ${String(value).slice(0, 40)}`,
    );
  }
  return value;
}

function placeTensors(
  file: BoundedFile,
  infos: readonly GgufTensorInfo[],
  dataStart: number,
  alignment: number,
): GgufTensorInfo[] {
  const placed = infos.map((info) => ({ ...info, offset: dataStart + info.offset }));
  const ends = [...placed].sort((a, b) => a.offset - b.offset);
  for (let i = 0; i < ends.length; i++) {
    const { name, offset, sizeBytes } = ends[i]!;
    const place = { file: file.path, tensor: name };
    if ((offset - dataStart) % alignment !== 0) {
      throw new CheckpointError(
        'malformed',
        place,
        `expected an offset of a multiple of ${alignment}, got ${offset - dataStart}`,
      );
    }
    const end = offset + (sizeBytes ?? 0);
    if (end > file.sizeBytes) {
      throw new CheckpointError(
        'truncated',
        place,
        `expected data up to byte ${end}, got a file of ${file.sizeBytes} bytes`,
      );
    }
    const next = ends[i + 1];
    if (next !== undefined && next.offset < end) {
      throw new CheckpointError(
        'malformed',
        place,
        `expected data that no other tensor uses, got bytes that also belong to ${next.name}`,
      );
    }
  }
  return placed;
}
