import type { ByteSource } from './bounded-file.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { isRowMajor, STORED_FLOAT_BYTES, type StoredFloatType, type StoredTensor } from './stored-tensor.ts';
import { elementCount, rowsOf } from './tensor-type.ts';
import { type Elements, transpose } from './transpose.ts';

/** A stored tensor that may hold weights, and the file it lies in. */
export interface StridedTensor extends StoredTensor {
  readonly source: ByteSource;
  readonly type: StoredFloatType;
}

/** Reads the rows of one tensor in row-major order, whatever its strides. */
export interface RowReader {
  /** Fill `target` with whole rows from `firstRow` on, in the tensor's own element type. */
  read(firstRow: number, target: Uint8Array): Promise<void>;
  /** Give up cached rows. A later read reads them again. */
  release(): void;
  /** Begin to gather the first rows, where reading takes more than one read of the file. */
  prepare?(): void;
}

/** Lends the memory of one band at a time, as fresh memory costs the time of its page faults. */
export class BandMemory {
  #free: Uint8Array | null = null;

  take(sizeBytes: number): Uint8Array {
    const free = this.#free;
    this.#free = null;
    return free !== null && free.byteLength >= sizeBytes ? free.subarray(0, sizeBytes) : new Uint8Array(sizeBytes);
  }

  /** No part of it may be used afterwards. */
  give(bytes: Uint8Array): void {
    const whole = new Uint8Array(bytes.buffer);
    if (this.#free === null || this.#free.byteLength < whole.byteLength) this.#free = whole;
  }
}

/**
 * Rows of a transposed tensor are gathered in bands of this many bytes: a matrix of GPT-J-6B's layers in float16 is one
 * band, so that the file is read in its own order; of its LM head, each column is read in pieces of 32 kilobytes.
 */
const BAND_BYTES = 128 * 1024 * 1024;

/** Columns are read in chunks of this many bytes, one of them while the one before is transposed. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** Columns whose pieces lie further apart than this many times their own size are read one by one. */
const MAX_GAP_RATIO = 1.25;

/** Number of columns read at the same time where they are read one by one. */
const COLUMNS_AT_ONCE = 16;

/** Maximum stride within a row or column. Transposed and sliced tensors have small ones. */
const MAX_INNER_STRIDE = 64;

/**
 * A reader for one tensor of up to two dimensions. Strides are those of PyTorch: any number from 0 on, also such that
 * elements share storage (`expand`).
 *
 * Throws `unsupported` if the strides within both rows and columns are large.
 */
export function createRowReader(tensor: StridedTensor, memory: BandMemory = new BandMemory()): RowReader {
  const { shape, strides, source, offset, type } = tensor;
  const itemBytes = STORED_FLOAT_BYTES[type];
  const { rows, rowLength } = rowsOf(shape);
  if (isRowMajor(shape, strides)) {
    return {
      read: (firstRow, target) => source.read(offset + firstRow * rowLength * itemBytes, target),
      release: () => undefined,
    };
  }
  const columnStride = strides[strides.length - 1] ?? 1;
  const rowStride = shape.length < 2 ? 0 : strides[0]!;
  const byColumns = rows > 1 && rowStride < columnStride;
  if ((byColumns ? rowStride : columnStride) > MAX_INNER_STRIDE) {
    throw new CheckpointError(
      'unsupported',
      { file: source.path, tensor: tensor.name },
      `expected rows or columns of at most ${MAX_INNER_STRIDE} elements apart, got strides [${strides}] for shape [${shape}]; save tensor.contiguous()`,
    );
  }
  const layout: Layout = { source, offset, itemBytes, rowLength, rowStride, columnStride, byColumns };
  // The second bound limits what is read at once where a stride within columns is large.
  const rowsPerBand = Math.max(
    1,
    Math.min(
      rows,
      Math.floor(BAND_BYTES / (rowLength * itemBytes)),
      Math.floor(CHUNK_BYTES / (Math.max(1, byColumns ? rowStride : 1) * itemBytes)),
    ),
  );
  return createBandedRows({
    rows,
    bytesPerRow: rowLength * itemBytes,
    rowsPerBand,
    memory,
    gather: (firstRow, count, target) => gather(layout, firstRow, count, target),
  });
}

export interface BandedRowsOptions {
  readonly rows: number;
  readonly bytesPerRow: number;
  readonly rowsPerBand: number;
  readonly memory: BandMemory;
  /** Fill `target` with `count` rows. `firstRow` is a multiple of `rowsPerBand`. */
  readonly gather: (firstRow: number, count: number, target: Uint8Array) => Promise<void>;
}

interface Band {
  readonly firstRow: number;
  readonly bytes: Uint8Array;
}

/** Rows that are gathered in bands, of which the last is kept. */
export function createBandedRows({ rows, bytesPerRow, rowsPerBand, memory, gather }: BandedRowsOptions): RowReader {
  let band: Band | null = null;
  let prepared: Promise<Band> | null = null;
  const release = (): void => {
    if (band !== null) memory.give(band.bytes);
    band = null;
  };
  const load = async (firstRow: number): Promise<Band> => {
    const count = Math.min(rowsPerBand, rows - firstRow);
    const bytes = memory.take(count * bytesPerRow);
    await gather(firstRow, count, bytes);
    return { firstRow, bytes };
  };
  return {
    release,
    prepare() {
      prepared ??= load(0);
      // A failure is thrown by the read; until then it must not count as unhandled.
      prepared.catch(() => undefined);
    },
    async read(firstRow, target) {
      for (let done = 0; done < target.byteLength; ) {
        const row = firstRow + done / bytesPerRow;
        if (band === null || row < band.firstRow || (row - band.firstRow) * bytesPerRow >= band.bytes.byteLength) {
          release();
          const first = row - (row % rowsPerBand);
          const loading = first === 0 ? prepared : null;
          prepared = null;
          band = await (loading ?? load(first));
        }
        const start = (row - band.firstRow) * bytesPerRow;
        const part = band.bytes.subarray(start, start + target.byteLength - done);
        target.set(part, done);
        done += part.byteLength;
      }
    },
  };
}

/** Throws `wrong_shape` for a tensor that reaches past its storage of `storageLength` elements. */
export function checkWithinStorage(
  file: string,
  tensor: { readonly name: string; readonly shape: readonly number[]; readonly strides: readonly number[] },
  firstElement: number,
  storageLength: number,
): void {
  const { name, shape, strides } = tensor;
  if (elementCount(shape) === 0) return;
  const last = shape.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, firstElement);
  if (!(last < storageLength)) {
    throw new CheckpointError(
      'wrong_shape',
      { file, tensor: name },
      `expected [${shape}] with strides [${strides}] from element ${firstElement} on to fit its storage, got a storage of ${storageLength}`,
    );
  }
}

interface Layout {
  readonly source: ByteSource;
  readonly offset: number;
  readonly itemBytes: number;
  readonly rowLength: number;
  /** In elements. */
  readonly rowStride: number;
  readonly columnStride: number;
  /** The elements of a column lie closer together than those of a row. */
  readonly byColumns: boolean;
}

/** Bytes of `count` rows from `firstRow` on, gathered row by row, or column by column where the elements of a column lie closer together. */
async function gather(layout: Layout, firstRow: number, count: number, target: Uint8Array): Promise<void> {
  await (layout.byColumns
    ? gatherColumns(layout, firstRow, count, target)
    : gatherRows(layout, firstRow, count, target));
}

async function gatherRows(layout: Layout, firstRow: number, count: number, target: Uint8Array): Promise<void> {
  const { source, offset, itemBytes, rowLength, rowStride, columnStride } = layout;
  const run = new Uint8Array(((rowLength - 1) * columnStride + 1) * itemBytes);
  const from = elementsOf(run, itemBytes);
  const to = elementsOf(target, itemBytes);
  for (let row = 0; row < count; row++) {
    await source.read(offset + (firstRow + row) * rowStride * itemBytes, run);
    for (let i = 0; i < rowLength; i++) to[row * rowLength + i] = from[i * columnStride]!;
  }
}

async function gatherColumns(layout: Layout, firstRow: number, count: number, target: Uint8Array): Promise<void> {
  const { source, offset, itemBytes, rowLength, rowStride, columnStride } = layout;
  const start = offset + firstRow * rowStride * itemBytes;
  /** Elements from the first to the last of a column's piece, and from one piece to the next in the chunk. */
  const pieceLength = (count - 1) * rowStride + 1;
  const isDense = columnStride <= MAX_GAP_RATIO * pieceLength;
  const distance = isDense ? columnStride : pieceLength;
  // An even number of columns, so that all chunks but the last are transposed in pairs.
  const columns = Math.max(2, 2 * Math.floor(CHUNK_BYTES / itemBytes / Math.max(1, distance) / 2));
  const chunkLength = (columns - 1) * distance + pieceLength;
  const chunks = [new Uint8Array(chunkLength * itemBytes), new Uint8Array(chunkLength * itemBytes)] as const;
  const load = async (firstColumn: number, chunk: Uint8Array): Promise<void> => {
    const columnCount = Math.min(columns, rowLength - firstColumn);
    const at = (column: number): number => start + (firstColumn + column) * columnStride * itemBytes;
    if (isDense) {
      await source.read(at(0), chunk.subarray(0, ((columnCount - 1) * distance + pieceLength) * itemBytes));
      return;
    }
    for (let column = 0; column < columnCount; column += COLUMNS_AT_ONCE) {
      const together = Array.from({ length: Math.min(COLUMNS_AT_ONCE, columnCount - column) }, (_, i) => column + i);
      await Promise.all(
        together.map((each) => {
          const from = each * distance * itemBytes;
          return source.read(at(each), chunk.subarray(from, from + pieceLength * itemBytes));
        }),
      );
    }
  };
  const to = elementsOf(target, itemBytes);
  let loading = load(0, chunks[0]);
  for (let column = 0, index = 0; column < rowLength; column += columns, index ^= 1) {
    await loading;
    const next = column + columns;
    if (next < rowLength) {
      loading = load(next, chunks[index === 0 ? 1 : 0]);
      // A failure is thrown by the await above; until then it must not count as unhandled.
      loading.catch(() => undefined);
    }
    transpose(elementsOf(chunks[index === 0 ? 0 : 1], itemBytes), to, {
      columns: Math.min(columns, rowLength - column),
      rows: count,
      columnDistance: distance,
      rowDistance: rowStride,
      rowLength,
      firstColumn: column,
    });
  }
}

/** Bits are moved, not numbers, except for float64, whose NaN payloads do not matter. */
function elementsOf(bytes: Uint8Array, itemBytes: number): Elements {
  const { buffer, byteOffset, byteLength } = bytes;
  if (itemBytes === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  if (itemBytes === 4) return new Uint32Array(buffer, byteOffset, byteLength / 4);
  return new Float64Array(buffer, byteOffset, byteLength / 8);
}
