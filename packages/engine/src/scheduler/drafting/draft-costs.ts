/** What the speculation needs to know of the model's cost. */
export interface DraftCosts {
  /** Milliseconds of an evaluation of decoding steps; null before the first. */
  readonly decodeMs: number | null;
  /** Tokens worth drafting; 0: none. See `BatchCostModel`. */
  draftTokens(plan: DraftPlan): number;
}

export interface DraftPlan {
  /** Share of draft tokens that agree, given that those before them do, 0 … 1. */
  readonly acceptance: number;
  /** Rows of the next evaluation without drafts. */
  readonly rows: number;
  /** Generations that draft together. Default 1. */
  readonly runs?: number;
  /** Default: no limit. */
  readonly maxTokens?: number;
  /** Milliseconds of a draft token of all of them. Default 0. */
  readonly tokenMs?: number;
  /** Milliseconds before the first draft token, once in the `remaining` tokens of the generation. Default 0. */
  readonly onceMs?: number;
  readonly remaining?: number;
}
