import { BAND_BYTES, BandMemory } from './band-memory.ts';
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
  const layout: Layout = { source, offset, itemBytes, rowLength, rowStride, columnStride };
  const rowsPerBand = Math.max(1, Math.min(rows, Math.floor(BAND_BYTES / (rowLength * itemBytes))));
  const bands = { rows, bytesPerRow: rowLength * itemBytes, memory };
  if (byColumns) return createColumnRows(layout, bands);
  return createBandedRows({
    ...bands,
    rowsPerBand,
    gather: (firstRow, count, band) => gatherRows(layout, firstRow, count, band),
  });
}

export interface BandedRowsOptions {
  readonly rows: number;
  readonly bytesPerRow: number;
  readonly rowsPerBand: number;
  readonly memory: BandMemory;
  /** Fill `band` with `count` rows. `firstRow` is a multiple of `rowsPerBand`. */
  readonly gather: (firstRow: number, count: number, band: Uint8Array) => Promise<void>;
  /** Bytes that `count` rows take in a band. Default: one row after the other. */
  readonly bandBytes?: (count: number) => number;
  /** Copy rows of a band of `count` rows, from its row `row` on. Default: they lie one after the other. */
  readonly copyRows?: (band: Uint8Array, count: number, row: number, target: Uint8Array) => void;
}

interface Band {
  readonly firstRow: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Rows that are gathered in bands, of which the last is kept. */
export function createBandedRows(options: BandedRowsOptions): RowReader {
  const { rows, bytesPerRow, rowsPerBand, memory, gather } = options;
  const { bandBytes = (count) => count * bytesPerRow } = options;
  const copyRows = options.copyRows ?? copyWholeRows;
  let band: Band | null = null;
  let prepared: Promise<Band> | null = null;
  const release = (): void => {
    if (band !== null) memory.give(band.bytes);
    band = null;
  };
  const load = async (firstRow: number): Promise<Band> => {
    const count = Math.min(rowsPerBand, rows - firstRow);
    const bytes = memory.take(bandBytes(count));
    await gather(firstRow, count, bytes.subarray(0, bandBytes(count)));
    return { firstRow, count, bytes };
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
        if (band === null || row < band.firstRow || row >= band.firstRow + band.count) {
          release();
          const first = row - (row % rowsPerBand);
          const loading = first === 0 ? prepared : null;
          prepared = null;
          band = await (loading ?? load(first));
        }
        const left = (band.firstRow + band.count - row) * bytesPerRow;
        const part = target.subarray(done, done + Math.min(left, target.byteLength - done));
        copyRows(band.bytes, band.count, row - band.firstRow, part);
        done += part.byteLength;
      }
    },
  };

  function copyWholeRows(bytes: Uint8Array, _count: number, row: number, target: Uint8Array): void {
    target.set(bytes.subarray(row * bytesPerRow, row * bytesPerRow + target.byteLength));
  }
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

/**
 * Rows of a tensor whose columns lie together. A band holds the columns as they are in the file, so that its bytes are read in
 * their own order, and each read turns the rows that it needs.
 */
function createColumnRows(
  layout: Layout,
  bands: Pick<BandedRowsOptions, 'rows' | 'bytesPerRow' | 'memory'>,
): RowReader {
  const { source, offset, itemBytes, rowLength, rowStride, columnStride } = layout;
  const { rows, bytesPerRow } = bands;
  const most = Math.floor(BAND_BYTES / (bytesPerRow * Math.max(1, rowStride)));
  const rowsPerBand = Math.max(1, Math.min(rows, most));
  /** Elements from the first to the last of a column's part of a band, and from one column to the next. */
  const pieceLength = (count: number): number => (count - 1) * rowStride + 1;
  const isDense = (count: number): boolean => columnStride <= MAX_GAP_RATIO * pieceLength(count);
  const distance = (count: number): number => (isDense(count) ? columnStride : pieceLength(count));
  return createBandedRows({
    ...bands,
    rowsPerBand,
    bandBytes: (count) => ((rowLength - 1) * distance(count) + pieceLength(count)) * itemBytes,
    async gather(firstRow, count, band) {
      const start = offset + firstRow * rowStride * itemBytes;
      if (isDense(count)) {
        await source.read(start, band);
        return;
      }
      const [from, to] = [columnStride * itemBytes, pieceLength(count) * itemBytes];
      for (let column = 0; column < rowLength; column += COLUMNS_AT_ONCE) {
        const together = Array.from({ length: Math.min(COLUMNS_AT_ONCE, rowLength - column) }, (_, i) => column + i);
        await Promise.all(
          together.map((each) => source.read(start + each * from, band.subarray(each * to, (each + 1) * to))),
        );
      }
    },
    copyRows(band, count, row, target) {
      transpose(elementsOf(band, itemBytes).subarray(row * rowStride), elementsOf(target, itemBytes), {
        columns: rowLength,
        rows: target.byteLength / bytesPerRow,
        columnDistance: distance(count),
        rowDistance: rowStride,
        rowLength,
        firstColumn: 0,
      });
    },
  });
}

/** Bits are moved, not numbers, except for float64, whose NaN payloads do not matter. */
function elementsOf(bytes: Uint8Array, itemBytes: number): Elements {
  const { buffer, byteOffset, byteLength } = bytes;
  if (itemBytes === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  if (itemBytes === 4) return new Uint32Array(buffer, byteOffset, byteLength / 4);
  return new Float64Array(buffer, byteOffset, byteLength / 8);
}
