/** Upper bounds of the classes that {@link EngineStats.batchTokens} counts evaluations by; the last class has none. */
export const BATCH_TOKEN_BOUNDS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** What an engine has done since its process started, and what it is doing. Plain data; crosses process boundaries. */
export interface EngineStats {
  /** Evaluations of the model that succeeded. */
  readonly evaluations: number;
  /** Milliseconds they took together. */
  readonly busyMs: number;
  /** Tokens they held: of prompts, drafts and output. */
  readonly evaluatedTokens: number;
  /** Evaluations by the tokens they held: at most the bound of the same index, and more than the one before. */
  readonly batchTokens: readonly number[];
  /** Generations that have cache now. */
  readonly active: number;
  /** Generations that wait for it. */
  readonly waiting: number;
  /** Positions of the KV cache that nothing is kept in, and how many there are. */
  readonly freeCells: number;
  readonly cacheCells: number;
  /** Sequences that the prefix cache keeps. */
  readonly prefixes: number;
}

/** The sum of two engines' figures, as of two contexts over one model. */
export function addStats(one: EngineStats, other: EngineStats): EngineStats {
  return {
    evaluations: one.evaluations + other.evaluations,
    busyMs: one.busyMs + other.busyMs,
    evaluatedTokens: one.evaluatedTokens + other.evaluatedTokens,
    batchTokens: one.batchTokens.map((count, i) => count + (other.batchTokens[i] ?? 0)),
    active: one.active + other.active,
    waiting: one.waiting + other.waiting,
    freeCells: one.freeCells + other.freeCells,
    cacheCells: one.cacheCells + other.cacheCells,
    prefixes: one.prefixes + other.prefixes,
  };
}

/** Counts evaluations. */
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
