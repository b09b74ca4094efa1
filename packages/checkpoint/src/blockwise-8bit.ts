/**
 * The 8-bit form of hivemind/gpt-j-6B-8bit and its descendants (bitsandbytes' blockwise quantisation of 2021): for every
 * linear layer and the embedding `weight` in uint8, `absmax` with a number for each 4096 elements of the flat matrix, and `code`
 * with the 256 values of a byte. A weight is code[byte] · absmax[index ÷ 4096].
 */
import { CheckpointError } from './checkpoint-error.ts';
import { isRowMajor, type StoredTensor } from './stored-tensor.ts';
import { createRowReader, type RowReader, type StridedTensor } from './strided-rows.ts';
import { elementCount, rowsOf } from './tensor-type.ts';

const BLOCK_ELEMENTS = 4096;
const CODE_VALUES = 256;

/** Names of one byte in PyTorch and in safetensors. */
const BYTE_TYPES: readonly string[] = ['ByteStorage', 'U8'];

type Placed = StoredTensor & Pick<StridedTensor, 'source'>;

/** A matrix of bytes with its tables. */
export interface ByteMatrix {
  readonly weight: Placed;
  readonly absmax: Placed;
  readonly code: Placed;
}

/**
 * The matrices of bytes among the entries of a checkpoint, by the name of their weight. An entry `X.weight` in uint8 is one where
 * `X.absmax` and `X.code` exist.
 */
export function findByteMatrices(stored: ReadonlyMap<string, Placed>): ReadonlyMap<string, ByteMatrix> {
  const found = new Map<string, ByteMatrix>();
  for (const [name, weight] of stored) {
    if (!name.endsWith('.weight') || !BYTE_TYPES.includes(weight.storedType)) continue;
    const layer = name.slice(0, -'weight'.length);
    const absmax = stored.get(`${layer}absmax`);
    const code = stored.get(`${layer}code`);
    if (absmax !== undefined && code !== undefined) found.set(name, { weight, absmax, code });
  }
  return found;
}

/** Rows in float32. Throws `wrong_shape`, `wrong_type`, `unsupported` for tables that do not fit the matrix. */
export function createByteRows({ weight, absmax, code }: ByteMatrix): RowReader {
  const { shape, strides, source, offset } = weight;
  const { rowLength } = rowsOf(shape);
  const blocks = Math.ceil(elementCount(shape) / BLOCK_ELEMENTS);
  const absmaxRows = createRowReader(tableOf(absmax, blocks));
  const codeRows = createRowReader(tableOf(code, CODE_VALUES));
  if (!isRowMajor(shape, strides)) {
    throw new CheckpointError(
      'unsupported',
      { file: source.path, tensor: weight.name },
      `expected bytes row by row, got strides [${strides}] for shape [${shape}]`,
    );
  }
  let tables: Promise<{ readonly scales: Float32Array; readonly values: Float32Array }> | null = null;
  const readTables = async (): Promise<{ readonly scales: Float32Array; readonly values: Float32Array }> => {
    const scales = new Float32Array(blocks);
    const values = new Float32Array(CODE_VALUES);
    await absmaxRows.read(0, new Uint8Array(scales.buffer));
    await codeRows.read(0, new Uint8Array(values.buffer));
    return { scales, values };
  };
  return {
    release: () => {
      tables = null;
    },
    async read(firstRow, target) {
      tables ??= readTables();
      const { scales, values } = await tables;
      const numbers = new Float32Array(target.buffer, target.byteOffset, target.byteLength / 4);
      const bytes = new Uint8Array(numbers.length);
      const first = firstRow * rowLength;
      await source.read(offset + first, bytes);
      for (let done = 0; done < numbers.length; ) {
        const block = Math.floor((first + done) / BLOCK_ELEMENTS);
        const end = Math.min(numbers.length, (block + 1) * BLOCK_ELEMENTS - first);
        const scale = scales[block]!;
        for (; done < end; done++) numbers[done] = values[bytes[done]!]! * scale;
      }
    },
  };
}

/** Throws `wrong_shape`, `wrong_type`. */
function tableOf(table: Placed, count: number): StridedTensor {
  const place = { file: table.source.path, tensor: table.name };
  const { shape, type, storedType } = table;
  if (type !== 'f32') throw new CheckpointError('wrong_type', place, `expected float32, got ${storedType}`);
  if (shape.length !== 1 || shape[0] !== count) {
    throw new CheckpointError('wrong_shape', place, `expected [${count}] for its matrix, got [${shape}]`);
  }
  return { ...table, type };
}
