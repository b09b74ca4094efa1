import { vectorsFor } from './vectors/vector-memory.ts';

/** Elements as bits, or float64. */
export type Elements = Uint16Array | Uint32Array | Float64Array;

/** Where the columns lie and where they go. Distances are in elements. */
export interface TransposePlan {
  readonly columns: number;
  readonly rows: number;
  /** From a column to the next one. */
  readonly columnDistance: number;
  /** From an element of a column to the next one. */
  readonly rowDistance: number;
  /** Of the target. */
  readonly rowLength: number;
  /** Of the target, that the first column becomes. */
  readonly firstColumn: number;
}

/** Blocks of this many rows and columns stay in the processor's caches. */
const BLOCK_ROWS = 64;
const BLOCK_COLUMNS = 16;

/** Write the columns of `from`, each of `rows` elements, into the rows of `to`. */
export function transpose(from: Elements, to: Elements, plan: TransposePlan): void {
  if (transposeWithVectors(from, to, plan)) return;
  if (from instanceof Uint16Array && to instanceof Uint16Array && isPairable(from, to, plan)) {
    transposePairs(from, to, plan);
    return;
  }
  const { columns, rows, columnDistance, rowDistance, rowLength, firstColumn } = plan;
  for (let rowBlock = 0; rowBlock < rows; rowBlock += BLOCK_ROWS) {
    const rowEnd = Math.min(rows, rowBlock + BLOCK_ROWS);
    for (let columnBlock = 0; columnBlock < columns; columnBlock += BLOCK_COLUMNS) {
      const columnEnd = Math.min(columns, columnBlock + BLOCK_COLUMNS);
      for (let row = rowBlock; row < rowEnd; row++) {
        let source = columnBlock * columnDistance + row * rowDistance;
        let target = row * rowLength + firstColumn + columnBlock;
        for (let column = columnBlock; column < columnEnd; column++, source += columnDistance) {
          to[target++] = from[source]!;
        }
      }
    }
  }
}

/** False: these arrays are not in a memory with vectors, or there are gaps in the columns. */
function transposeWithVectors(from: Elements, to: Elements, plan: TransposePlan): boolean {
  const { columns, rows, columnDistance, rowDistance, rowLength, firstColumn } = plan;
  const vectors = vectorsFor(from, to);
  const itemBytes = from.BYTES_PER_ELEMENT;
  if (vectors === null || rowDistance !== 1 || itemBytes > 4 || itemBytes !== to.BYTES_PER_ELEMENT) return false;
  if (columns <= 0 || rows <= 0) return true;
  // The module does not know where an array ends.
  const fromEnd = (columns - 1) * columnDistance + rows;
  const toEnd = (rows - 1) * rowLength + firstColumn + columns;
  if (fromEnd > from.length || toEnd > to.length) {
    throw new RangeError(`expected ${fromEnd} elements turned into ${toEnd}, got ${from.length} and ${to.length}`);
  }
  const write = itemBytes === 2 ? vectors.transpose16 : vectors.transpose32;
  write(from.byteOffset, to.byteOffset + firstColumn * itemBytes, columns, rows, columnDistance, rowLength);
  return true;
}

/** Whether two rows and two columns at a time lie in whole words of 32 bits. */
function isPairable(from: Uint16Array, to: Uint16Array, plan: TransposePlan): boolean {
  const { columns, rows, columnDistance, rowDistance, rowLength, firstColumn } = plan;
  const isEven = [columns, rows, columnDistance, rowLength, firstColumn].every((size) => size % 2 === 0);
  return isEven && rowDistance === 1 && from.byteOffset % 4 === 0 && to.byteOffset % 4 === 0;
}

/**
 * The same for 16 bits without gaps in the columns: two rows of eight columns with eight loads and eight stores of 32 bits, four
 * times as fast. As Int32Array, because V8 computes with the numbers of a Uint32Array as floats.
 */
function transposePairs(from: Uint16Array, to: Uint16Array, plan: TransposePlan): void {
  const { columns, rows, firstColumn } = plan;
  const source = new Int32Array(from.buffer, from.byteOffset, from.length >> 1);
  const target = new Int32Array(to.buffer, to.byteOffset, to.length >> 1);
  const columnWords = plan.columnDistance / 2;
  const rowWords = plan.rowLength / 2;
  const wholeColumns = columns - (columns % 8);
  for (let rowBlock = 0; rowBlock < rows; rowBlock += BLOCK_ROWS) {
    const rowEnd = Math.min(rows, rowBlock + BLOCK_ROWS);
    for (let column = 0; column < wholeColumns; column += 8) {
      const first = (firstColumn + column) >> 1;
      for (let row = rowBlock; row < rowEnd; row += 2) {
        const upper = row * rowWords + first;
        const lower = upper + rowWords;
        let at = column * columnWords + (row >> 1);
        let left = source[at]!;
        let right = source[at + columnWords]!;
        target[upper] = (left & 0xffff) | (right << 16);
        target[lower] = (left >>> 16) | (right & 0xffff0000);
        at += 2 * columnWords;
        left = source[at]!;
        right = source[at + columnWords]!;
        target[upper + 1] = (left & 0xffff) | (right << 16);
        target[lower + 1] = (left >>> 16) | (right & 0xffff0000);
        at += 2 * columnWords;
        left = source[at]!;
        right = source[at + columnWords]!;
        target[upper + 2] = (left & 0xffff) | (right << 16);
        target[lower + 2] = (left >>> 16) | (right & 0xffff0000);
        at += 2 * columnWords;
        left = source[at]!;
        right = source[at + columnWords]!;
        target[upper + 3] = (left & 0xffff) | (right << 16);
        target[lower + 3] = (left >>> 16) | (right & 0xffff0000);
      }
    }
    for (let column = wholeColumns; column < columns; column += 2) {
      for (let row = rowBlock; row < rowEnd; row += 2) {
        const upper = row * rowWords + ((firstColumn + column) >> 1);
        const left = source[column * columnWords + (row >> 1)]!;
        const right = source[(column + 1) * columnWords + (row >> 1)]!;
        target[upper] = (left & 0xffff) | (right << 16);
        target[upper + rowWords] = (left >>> 16) | (right & 0xffff0000);
      }
    }
  }
}
