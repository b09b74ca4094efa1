/** Elements as bits, or float64. */
export type Elements = Uint16Array | Uint32Array | Float64Array;

/** Where the columns of a chunk lie and where they go. Distances are in elements. */
export interface TransposePlan {
  readonly columns: number;
  readonly rows: number;
  /** From a column to the next one in the chunk. */
  readonly columnDistance: number;
  /** From an element of a column to the next one. */
  readonly rowDistance: number;
  /** Of the target. */
  readonly rowLength: number;
  /** Of the target, that the chunk's first column becomes. */
  readonly firstColumn: number;
}

/** Blocks of this many rows and columns stay in the processor's caches. */
const BLOCK_ROWS = 64;
const BLOCK_COLUMNS = 16;

/** Write the columns of `from`, each of `rows` elements, into the rows of `to`. */
export function transpose(from: Elements, to: Elements, plan: TransposePlan): void {
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

/** Whether two rows and two columns at a time lie in whole words of 32 bits. */
function isPairable(from: Uint16Array, to: Uint16Array, plan: TransposePlan): boolean {
  const { columns, rows, columnDistance, rowDistance, rowLength, firstColumn } = plan;
  const isEven = [columns, rows, columnDistance, rowLength, firstColumn].every((size) => size % 2 === 0);
  return isEven && rowDistance === 1 && from.byteOffset % 4 === 0 && to.byteOffset % 4 === 0;
}

/** The same for 16 bits without gaps in the columns: two by two elements with two loads and two stores, twice as fast. */
function transposePairs(from: Uint16Array, to: Uint16Array, plan: TransposePlan): void {
  const { columns, rows, firstColumn } = plan;
  const source = new Uint32Array(from.buffer, from.byteOffset, from.length >> 1);
  const target = new Uint32Array(to.buffer, to.byteOffset, to.length >> 1);
  const columnWords = plan.columnDistance / 2;
  const rowWords = plan.rowLength / 2;
  for (let rowBlock = 0; rowBlock < rows; rowBlock += BLOCK_ROWS) {
    const rowEnd = Math.min(rows, rowBlock + BLOCK_ROWS);
    for (let columnBlock = 0; columnBlock < columns; columnBlock += BLOCK_COLUMNS) {
      const columnEnd = Math.min(columns, columnBlock + BLOCK_COLUMNS);
      for (let row = rowBlock; row < rowEnd; row += 2) {
        let at = columnBlock * columnWords + (row >> 1);
        let upper = row * rowWords + ((firstColumn + columnBlock) >> 1);
        let lower = upper + rowWords;
        for (let column = columnBlock; column < columnEnd; column += 2) {
          const left = source[at]!;
          const right = source[at + columnWords]!;
          target[upper++] = (left & 0xffff) | (right << 16);
          target[lower++] = (left >>> 16) | (right & 0xffff0000);
          at += 2 * columnWords;
        }
      }
    }
  }
}
