import type { BandMemory } from './band-memory.ts';
import { STORED_FLOAT_BYTES } from './stored-tensor.ts';
import { createRowReader, type RowReader, type StridedTensor } from './strided-rows.ts';
import { elementCount, rowBytes } from './tensor-type.ts';
import type { TableWeight } from './weight-table.ts';

/** A tensor of floats as a weight. Throws `unsupported` for strides that cannot be read. */
export function floatWeight(name: string, strided: StridedTensor): TableWeight {
  const type = strided.type === 'f64' ? 'f32' : strided.type;
  // Refuses unsupported strides on opening, before a conversion writes anything.
  createRowReader(strided);
  const sizeBytes = elementCount(strided.shape) * rowBytes(type, 1);
  const position = strided.position ?? strided.offset;
  return {
    name,
    shape: strided.shape,
    type,
    sizeBytes,
    position,
    openRows: (memory) => createFloatRows(strided, memory),
  };
}

/** As {@link createRowReader}, with float64 rounded to float32. */
function createFloatRows(strided: StridedTensor, memory: BandMemory): RowReader {
  const reader = createRowReader(strided, memory);
  if (strided.type !== 'f64') return reader;
  return {
    release: reader.release,
    async read(firstRow, target) {
      const wide = new Float64Array(target.byteLength / STORED_FLOAT_BYTES.f32);
      await reader.read(firstRow, new Uint8Array(wide.buffer));
      new Float32Array(target.buffer, target.byteOffset, wide.length).set(wide);
    },
  };
}
