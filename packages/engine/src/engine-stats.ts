/** Upper bounds of the buckets of {@link EngineStats.batchTokens}; a last bucket without a bound follows. */
export const BATCH_TOKEN_BOUNDS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** Tokens that the engine drafted, and those of them that agreed with what the model chose. */
export interface DraftCount {
  readonly drafted: number;
  readonly accepted: number;
}

/** By source: repetitions in the text, and the draft model. */
export type DraftCounts = Readonly<Record<'lookup' | 'model', DraftCount>>;

export const NO_DRAFTS: DraftCounts = { lookup: { drafted: 0, accepted: 0 }, model: { drafted: 0, accepted: 0 } };

/** Counts since the engine's process started, and its present load. Plain data; crosses process boundaries. */
export interface EngineStats {
  /** Successful evaluations of the model. */
  readonly evaluations: number;
  /** Milliseconds in those evaluations. */
  readonly busyMs: number;
  /** Tokens in those evaluations: of prompts, drafts and output. */
  readonly evaluatedTokens: number;
  /** Number of evaluations in each bucket of {@link BATCH_TOKEN_BOUNDS}, by their tokens. */
  readonly batchTokens: readonly number[];
  /** Of the engine's own drafts, not of those that requests ask for. */
  readonly drafts: DraftCounts;
  /** Generations that take part in evaluations now. */
  readonly active: number;
  /** Generations that wait for cache. */
  readonly waiting: number;
  /** Free positions of the KV cache. */
  readonly freeCells: number;
  /** All positions of the KV cache. */
  readonly cacheCells: number;
  /** Sequences in the prefix cache. */
  readonly prefixes: number;
  /** Labels of requests (`prefixLabels`) whose tokens the prefix cache has, those used last first. */
  readonly prefixLabels: readonly string[];
  /** Milliseconds that the generation has waited that has waited longest; 0 when none waits. */
  readonly oldestWaitingMs: number;
  /** Resident memory of the process that runs the model, weights included as far as they were read. */
  readonly memoryBytes: number;
}

/** Of a model that is not loaded. */
export const IDLE_STATS: EngineStats = {
  evaluations: 0,
  busyMs: 0,
  evaluatedTokens: 0,
  batchTokens: Array.from({ length: BATCH_TOKEN_BOUNDS.length + 1 }, () => 0),
  drafts: NO_DRAFTS,
  active: 0,
  waiting: 0,
  freeCells: 0,
  cacheCells: 0,
  prefixes: 0,
  prefixLabels: [],
  oldestWaitingMs: 0,
  memoryBytes: 0,
};

/** The sum of the counts of two contexts over one model. */
export function addStats(one: EngineStats, other: EngineStats): EngineStats {
  return {
    evaluations: one.evaluations + other.evaluations,
    busyMs: one.busyMs + other.busyMs,
    evaluatedTokens: one.evaluatedTokens + other.evaluatedTokens,
    batchTokens: one.batchTokens.map((count, i) => count + (other.batchTokens[i] ?? 0)),
    drafts: {
      lookup: addDrafts(one.drafts.lookup, other.drafts.lookup),
      model: addDrafts(one.drafts.model, other.drafts.model),
    },
    active: one.active + other.active,
    waiting: one.waiting + other.waiting,
    freeCells: one.freeCells + other.freeCells,
    cacheCells: one.cacheCells + other.cacheCells,
    prefixes: one.prefixes + other.prefixes,
    prefixLabels: [...new Set([...one.prefixLabels, ...other.prefixLabels])],
    oldestWaitingMs: Math.max(one.oldestWaitingMs, other.oldestWaitingMs),
    // Both are in one process.
    memoryBytes: Math.max(one.memoryBytes, other.memoryBytes),
  };
}

function addDrafts(one: DraftCount, other: DraftCount): DraftCount {
  return { drafted: one.drafted + other.drafted, accepted: one.accepted + other.accepted };
}

/** Counts evaluations, their time and their tokens. */
export class EvaluationCounts {
  #evaluations = 0;
  #busyMs = 0;
  #tokens = 0;
  readonly #batchTokens: number[] = Array.from({ length: BATCH_TOKEN_BOUNDS.length + 1 }, () => 0);

  add(tokens: number, elapsedMs: number): void {
    this.#evaluations++;
    this.#busyMs += elapsedMs;
    this.#tokens += tokens;
    const at = BATCH_TOKEN_BOUNDS.findIndex((bound) => tokens <= bound);
    this.#batchTokens[at < 0 ? BATCH_TOKEN_BOUNDS.length : at]!++;
  }

  get snapshot(): Pick<EngineStats, 'evaluations' | 'busyMs' | 'evaluatedTokens' | 'batchTokens'> {
    return {
      evaluations: this.#evaluations,
      busyMs: this.#busyMs,
      evaluatedTokens: this.#tokens,
      batchTokens: [...this.#batchTokens],
    };
  }
}
