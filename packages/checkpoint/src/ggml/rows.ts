import { BAND_BYTES, type BandMemory } from '../band-memory.ts';
import type { BoundedFile } from '../bounded-file.ts';
import { dequantise } from '../gguf/dequantise.ts';
import { rowMajorStrides } from '../stored-tensor.ts';
import { createBandedRows, createRowReader, type RowReader } from '../strided-rows.ts';
import { isFloatType, rowsOf } from '../tensor-type.ts';
import { transpose } from '../transpose.ts';
import type { GgmlType } from './era.ts';
import type { GgmlTensor } from './header.ts';

/** Decoded rows of a transposed tensor are gathered in bands, from stored rows in chunks of this many bytes. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** Rows of a tensor: in the type of GGUF with the same blocks, else decoded to float32. `isTransposed`: its columns are the rows. */
export function createGgmlRows(
  source: BoundedFile,
  tensor: GgmlTensor,
  isTransposed: boolean,
  memory: BandMemory,
): RowReader {
  const { type, offset, name } = tensor;
  if (type.same !== null && isFloatType(type.same)) {
    const strides = rowMajorStrides(tensor.shape);
    const shape = isTransposed ? [...tensor.shape].reverse() : tensor.shape;
    const stored = {
      name,
      shape,
      strides: isTransposed ? [...strides].reverse() : strides,
      storedType: type.name,
      offset,
    };
    return createRowReader({ ...stored, type: type.same, source }, memory);
  }
  if (isTransposed) return createTransposedRows(source, tensor, memory);
  const { rowLength } = rowsOf(tensor.shape);
  const bytesPerRow = (rowLength / type.blockSize) * type.blockBytes;
  if (type.same !== null) {
    return {
      release: () => undefined,
      read: (firstRow, target) => source.read(offset + firstRow * bytesPerRow, target),
    };
  }
  return {
    release: () => undefined,
    async read(firstRow, target) {
      const numbers = new Float32Array(target.buffer, target.byteOffset, target.byteLength / 4);
      const blocks = new Uint8Array((numbers.length / rowLength) * bytesPerRow);
      await source.read(offset + firstRow * bytesPerRow, blocks);
      decodeBlocks(type, blocks, numbers);
    },
  };
}

function decodeBlocks(type: GgmlType, blocks: Uint8Array, numbers: Float32Array): void {
  if (type.same !== null && !isFloatType(type.same)) {
    dequantise(type.same, blocks, numbers);
    return;
  }
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength);
  for (let block = 0; block < numbers.length / type.blockSize; block++) {
    type.decode(view, block * type.blockBytes, numbers, block * type.blockSize);
  }
}

/** Stored row s is column s. Blocks lie along the stored rows. */
function createTransposedRows(source: BoundedFile, tensor: GgmlTensor, memory: BandMemory): RowReader {
  const { type, offset } = tensor;
  const [storedRows = 1, rows = 1] = tensor.shape;
  const bytesPerStoredRow = (rows / type.blockSize) * type.blockBytes;
  const blocksPerBand = Math.max(1, Math.floor(BAND_BYTES / 4 / storedRows / type.blockSize));
  const rowsPerBand = Math.min(rows, blocksPerBand * type.blockSize);
  const columnsPerChunk = Math.max(1, Math.min(storedRows, Math.floor(CHUNK_BYTES / 4 / rowsPerBand)));
  return createBandedRows({
    rows,
    bytesPerRow: storedRows * 4,
    rowsPerBand,
    memory,
    async gather(firstRow, count, target) {
      const to = new Uint32Array(target.buffer, target.byteOffset, count * storedRows);
      const blocks = new Uint8Array((count / type.blockSize) * type.blockBytes);
      const chunk = new Float32Array(columnsPerChunk * count);
      const start = offset + (firstRow / type.blockSize) * type.blockBytes;
      for (let column = 0; column < storedRows; column += columnsPerChunk) {
        const columns = Math.min(columnsPerChunk, storedRows - column);
        for (let i = 0; i < columns; i++) {
          await source.read(start + (column + i) * bytesPerStoredRow, blocks);
          decodeBlocks(type, blocks, chunk.subarray(i * count, (i + 1) * count));
        }
        transpose(new Uint32Array(chunk.buffer), to, {
          columns,
          rows: count,
          columnDistance: count,
          rowDistance: 1,
          rowLength: storedRows,
          firstColumn: column,
        });
      }
    },
  });
}
