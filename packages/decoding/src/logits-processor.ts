import type { TokenId } from '@gptj-cloud/model';

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
export type LogitsProcessor = (rows: readonly LogitsRow[]) => void;

/** A processor that changes each row independently. */
export function each(change: (row: LogitsRow) => void): LogitsProcessor {
  return (rows) => rows.forEach(change);
}

/** Several processors, one after the other. */
export function inOrder(processors: readonly LogitsProcessor[]): LogitsProcessor {
  return (rows) => {
    for (const processor of processors) processor(rows);
  };
}
