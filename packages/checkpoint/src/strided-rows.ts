import type { BoundedFile } from './bounded-file.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { isRowMajor, STORED_FLOAT_BYTES, type StoredFloatType, type StoredTensor } from './stored-tensor.ts';
import { elementCount, rowsOf } from './tensor-type.ts';

/** A stored tensor that may hold weights, and the file it lies in. */
export interface StridedTensor extends StoredTensor {
  readonly source: BoundedFile;
  readonly type: StoredFloatType;
}

/** Reads the rows of one tensor in row-major order, whatever its strides. */
export interface RowReader {
  /** Fill `target` with whole rows from `firstRow` on, in the tensor's own element type. */
  read(firstRow: number, target: Uint8Array): Promise<void>;
}

/**
 * Rows of a transposed tensor are gathered in bands of this many bytes: one band of GPT-J-6B's largest matrix holds
 * 1024 rows, so that each column is read in pieces of kilobytes.
 */
const BAND_BYTES = 64 * 1024 * 1024;

/** Maximum stride within a row or column. Transposed and sliced tensors have small ones. */
const MAX_INNER_STRIDE = 64;

/**
 * A reader for one tensor of up to two dimensions. Strides are those of PyTorch: any number from 0 on, also such that
 * elements share storage (`expand`).
 *
 * Throws `unsupported` if the strides within both rows and columns are large.
 */
export function createRowReader(tensor: StridedTensor): RowReader {
  const { shape, strides, source, offset, type } = tensor;
  const itemBytes = STORED_FLOAT_BYTES[type];
  const { rows, rowLength } = rowsOf(shape);
  if (isRowMajor(shape, strides)) {
    return { read: (firstRow, target) => source.read(offset + firstRow * rowLength * itemBytes, target) };
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
  const rowsPerBand = Math.max(1, Math.min(rows, Math.floor(BAND_BYTES / (rowLength * itemBytes))));
  let band: { readonly firstRow: number; readonly bytes: Uint8Array } | null = null;
  return {
    async read(firstRow, target) {
      const bytesPerRow = rowLength * itemBytes;
      for (let done = 0; done < target.byteLength; ) {
        const row = firstRow + done / bytesPerRow;
        if (band === null || row < band.firstRow || (row - band.firstRow) * bytesPerRow >= band.bytes.byteLength) {
          const count = Math.min(rowsPerBand, rows - row);
          const bytes = new Uint8Array(count * bytesPerRow);
          await gather(layout, row, count, bytes);
          band = { firstRow: row, bytes };
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
  readonly source: BoundedFile;
  readonly offset: number;
  readonly itemBytes: number;
  readonly rowLength: number;
  /** In elements. */
  readonly rowStride: number;
  readonly columnStride: number;
  /** The elements of a column lie closer together than those of a row. */
  readonly byColumns: boolean;
}

/** Read rows one by one, or columns where the elements of a column lie closer together. */
async function gather(layout: Layout, firstRow: number, count: number, target: Uint8Array): Promise<void> {
  const { source, offset, itemBytes, rowLength, rowStride, columnStride, byColumns } = layout;
  const [outer, inner] = byColumns ? [rowLength, count] : [count, rowLength];
  const [outerStride, innerStride] = byColumns ? [columnStride, rowStride] : [rowStride, columnStride];
  const [outerStep, innerStep] = byColumns ? [1, rowLength] : [rowLength, 1];
  const run = new Uint8Array(((inner - 1) * innerStride + 1) * itemBytes);
  const from = elementsOf(run, itemBytes);
  const to = elementsOf(target, itemBytes);
  const start = offset + firstRow * rowStride * itemBytes;
  for (let o = 0; o < outer; o++) {
    await source.read(start + o * outerStride * itemBytes, run);
    for (let i = 0; i < inner; i++) to[o * outerStep + i * innerStep] = from[i * innerStride]!;
  }
}

/** Bits are moved, not numbers, except for float64, whose NaN payloads do not matter. */
function elementsOf(bytes: Uint8Array, itemBytes: number): Uint16Array | Uint32Array | Float64Array {
  const { buffer, byteOffset, byteLength } = bytes;
  if (itemBytes === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  if (itemBytes === 4) return new Uint32Array(buffer, byteOffset, byteLength / 4);
  return new Float64Array(buffer, byteOffset, byteLength / 8);
}
