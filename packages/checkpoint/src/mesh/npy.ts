/** The header of NumPy's .npy format, versions 1 to 3. bfloat16 has no name in it: it is stored as two raw bytes, `V2`. */
import type { ByteSource } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { MAX_DIMENSIONS } from '../stored-tensor.ts';
import { elementCount } from '../tensor-type.ts';

export type NpyType = 'bf16' | 'f16' | 'f32' | 'i32' | 'i64';

/** One array in C order. */
export interface NpyArray {
  readonly source: ByteSource;
  /** Of the first element. */
  readonly offset: number;
  readonly type: NpyType;
  readonly shape: readonly number[];
}

const TYPES: ReadonlyMap<string, NpyType> = new Map([
  ['<V2', 'bf16'],
  ['|V2', 'bf16'],
  ['<f2', 'f16'],
  ['<f4', 'f32'],
  ['<i4', 'i32'],
  ['<i8', 'i64'],
]);

const NPY_ITEM_BYTES: Readonly<Record<NpyType, number>> = { bf16: 2, f16: 2, f32: 4, i32: 4, i64: 8 };

const MAGIC: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const MAX_HEADER_BYTES = 4096;
const HEADER = /^\{'descr': '([<>|=][a-zA-Z]\d{1,3})', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), \} *\n?$/;

/** The array in the whole of `source`. Throws `malformed`, `unsupported`, `wrong_shape`, `truncated`. */
export async function readNpyHeader(source: ByteSource): Promise<NpyArray> {
  const place = { file: source.path };
  const start = new Uint8Array(Math.min(source.sizeBytes, MAX_HEADER_BYTES));
  await source.read(0, start);
  const view = new DataView(start.buffer);
  if (start.byteLength < 12 || MAGIC.some((byte, i) => start[i] !== byte) || start[6]! < 1 || start[6]! > 3) {
    throw new CheckpointError('malformed', place, 'expected an array of NumPy, got other bytes');
  }
  const lengthBytes = start[6] === 1 ? 2 : 4;
  const length = lengthBytes === 2 ? view.getUint16(8, true) : view.getUint32(8, true);
  const offset = 8 + lengthBytes + length;
  if (offset > start.byteLength) {
    throw new CheckpointError(
      'malformed',
      place,
      `expected a header within ${start.byteLength} bytes, got ${length} bytes of it`,
    );
  }
  const text = new TextDecoder('latin1').decode(start.subarray(8 + lengthBytes, offset));
  const [, descr, fortran, sizes] = HEADER.exec(text) ?? [];
  if (descr === undefined || sizes === undefined) {
    throw new CheckpointError(
      'malformed',
      place,
      `expected {'descr', 'fortran_order', 'shape'}, got ${JSON.stringify(text.slice(0, 100))}`,
    );
  }
  const type = TYPES.get(descr);
  if (type === undefined) {
    throw new CheckpointError('unsupported', place, `expected one of ${[...TYPES.keys()].join(', ')}, got ${descr}`);
  }
  if (fortran === 'True') {
    throw new CheckpointError('unsupported', place, 'expected an array in C order, got Fortran order');
  }
  const shape = sizes
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    .map(Number);
  if (shape.length > MAX_DIMENSIONS || !shape.every(Number.isSafeInteger)) {
    throw new CheckpointError('malformed', place, `expected a shape, got (${sizes.slice(0, 100)})`);
  }
  const dataBytes = elementCount(shape) * NPY_ITEM_BYTES[type];
  if (offset + dataBytes !== source.sizeBytes) {
    throw new CheckpointError(
      'wrong_shape',
      place,
      `expected ${dataBytes} bytes for (${shape}) of ${type}, got ${source.sizeBytes - offset}`,
    );
  }
  return { source, offset, type, shape };
}
