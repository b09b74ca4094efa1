import type { GptjConfig } from '@gptj-cloud/model';

/** A run of `rows` consecutive rows whose counterparts in the other order are consecutive too. */
export interface RowRun {
  /** First row of the run. */
  readonly row: number;
  /** First row of the run's counterpart in the other order. */
  readonly otherRow: number;
  readonly rows: number;
}

/**
 * GPT-J rotates the pairs (0,1), (2,3), … of a head's first `rotaryDim` dimensions, Phi-2 the pairs (0, r/2), (1, r/2 + 1), …
 * The phi2 export puts the even rows of each head of q and k first, then the odd ones; rows after the rotary part are unchanged.
 */
export function isReordered(name: string): boolean {
  return name.endsWith('.attn.q_proj.weight') || name.endsWith('.attn.k_proj.weight');
}

/** The row of the Hugging Face tensor that is row `row` of the exported one. */
export function phi2RowToGptj(config: GptjConfig, row: number): number {
  const headSize = config.embeddingSize / config.headCount;
  const half = config.rotaryDim / 2;
  const inHead = row % headSize;
  if (inHead >= config.rotaryDim) return row;
  return row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
}

/** The row of the exported tensor that is row `row` of the Hugging Face one. */
export function gptjRowToPhi2(config: GptjConfig, row: number): number {
  const headSize = config.embeddingSize / config.headCount;
  const inHead = row % headSize;
  if (inHead >= config.rotaryDim) return row;
  return row - inHead + (inHead % 2 === 0 ? inHead / 2 : config.rotaryDim / 2 + (inHead - 1) / 2);
}

/** Split rows `firstRow` to `firstRow + rows` into runs that are consecutive under `order`. */
export function rowRuns(order: (row: number) => number, firstRow: number, rows: number): readonly RowRun[] {
  const runs: { row: number; otherRow: number; rows: number }[] = [];
  for (let row = firstRow; row < firstRow + rows; row++) {
    const otherRow = order(row);
    const last = runs[runs.length - 1];
    if (last !== undefined && otherRow === last.otherRow + last.rows) last.rows++;
    else runs.push({ row, otherRow, rows: 1 });
  }
  return runs;
}
