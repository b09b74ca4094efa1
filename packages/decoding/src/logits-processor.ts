import type { TokenId } from '@gptj-cloud/model';
import type { Charge } from './work-budget.ts';

/** Scores of one sequence, which the processors change in place. */
export interface LogitsRow {
  /** Changed in place. */
  readonly scores: Float32Array;
  /** Prompt and generated tokens so far. */
  readonly sequence: readonly TokenId[];
  /** Raw logits of the unconditional branch, with `guidance_scale`. */
  readonly unconditional?: Float32Array;
  /** Tokens that earlier groups chose at this step, in group beam search. */
  readonly chosenByEarlierGroups?: readonly TokenId[];
}

/** Changes rows in place. The rows of one call are the beams of one search (of one group), or a single row. */
export type RowsProcessor = (rows: readonly LogitsRow[]) => void;

/** The processor of a parameter. It charges its work to that parameter. */
export type LogitsProcessor = (rows: readonly LogitsRow[], charge: Charge) => void;

/** A processor that changes each row independently. `change` returns the steps that it took. */
export function each(change: (row: LogitsRow) => number): LogitsProcessor {
  return (rows, charge) => {
    for (const row of rows) charge(change(row));
  };
}

/** Several processors, one after the other. */
export function inOrder(processors: readonly RowsProcessor[]): RowsProcessor {
  return (rows) => {
    for (const processor of processors) processor(rows);
  };
}
