/**
 * One generation in flight: a decoding strategy and the sequences of the model that stand for its rows.
 *
 * Life: constructed → `begin` → (`work` is fed by `feed` until `complete`, then `advance` asks again)* → `outcome` set
 * → `release`. Between asks the run owns exactly one open sequence per row of the last ask; `release` gives all back
 * and may be called in any state, more than once.
 */
import type { Ask, GenerateOutcome, Row, RowResult, Settled, Strategy } from '@gptj-cloud/decoding';
import type { LanguageModel, SequenceId, Step, StepResult } from '@gptj-cloud/model';

/** A row of the current ask that still has tokens to evaluate. */
export interface RowWork {
  readonly row: Row;
  readonly sequence: SequenceId;
  /** Tokens of the row already evaluated. */
  readonly fed: number;
}

interface RowState {
  readonly row: Row;
  readonly sequence: SequenceId;
  fed: number;
  readonly logits: Float32Array[];
  readonly hidden: Float32Array[];
  readonly layers: Float32Array[][];
}

export class StrategyRun {
  readonly #model: LanguageModel;
  readonly #strategy: Strategy<GenerateOutcome>;
  #rows: RowState[] = [];
  #outcome: GenerateOutcome | null = null;

  constructor(model: LanguageModel, strategy: Strategy<GenerateOutcome>) {
    this.#model = model;
    this.#strategy = strategy;
  }

  /** Set when the strategy has returned. */
  get outcome(): GenerateOutcome | null {
    return this.#outcome;
  }

  /** Rows that still wait for an evaluation. */
  get work(): readonly RowWork[] {
    return this.#rows.filter((state) => state.fed < state.row.tokens.length);
  }

  /** Whether every row of the current ask is evaluated. */
  get complete(): boolean {
    return this.#rows.every((state) => state.fed === state.row.tokens.length);
  }

  /** Ask for the first rows. Returns what is settled already. */
  begin(): readonly Settled[] {
    return this.#take(this.#strategy.next());
  }

  /** The next `count` tokens of a row as a step of the model. */
  step(work: RowWork, count: number): Step {
    const { row, sequence, fed } = work;
    const reachesEnd = fed + count === row.tokens.length;
    return {
      sequence,
      tokens: fed === 0 && reachesEnd ? row.tokens : row.tokens.slice(fed, fed + count),
      scored: row.scored === 'last' && !reachesEnd ? 'none' : row.scored,
      ...(row.hidden === undefined ? {} : { hidden: row.hidden }),
      ...(row.layers === undefined ? {} : { layers: row.layers }),
    };
  }

  /** Note that `count` tokens of a row were evaluated, with their results. */
  feed(work: RowWork, count: number, result: StepResult): void {
    const state = work as RowState;
    state.fed += count;
    state.logits.push(...result.logits);
    state.hidden.push(...result.hidden);
    for (const [i, rows] of result.layers.entries()) {
      state.layers[i] ??= [];
      state.layers[i].push(...rows);
    }
  }

  /** Results are views that die with the next evaluation: copy those that must outlive it. */
  keep(): void {
    for (const state of this.#rows) {
      for (const rows of [state.logits, state.hidden, ...state.layers]) {
        for (const [i, row] of rows.entries()) rows[i] = row.slice();
      }
    }
  }

  /** Hand the complete ask's results to the strategy and take its next ask. Returns what it settled. */
  advance(): readonly Settled[] {
    const answer: RowResult[] = this.#rows.map(({ logits, hidden, layers }) => ({ logits, hidden, layers }));
    return this.#take(this.#strategy.next(answer));
  }

  /** Give every sequence back. */
  release(): void {
    for (const { sequence } of this.#rows) this.#model.release(sequence);
    this.#rows = [];
  }

  #take(next: IteratorResult<Ask, GenerateOutcome>): readonly Settled[] {
    if (next.done) {
      this.#outcome = next.value;
      this.release();
      return [];
    }
    this.#rows = this.#place(next.value.rows);
    return next.value.settled;
  }

  /** Give every asked row a sequence: the last row that continues a sequence takes it over, the others fork it. */
  #place(rows: readonly Row[]): RowState[] {
    const old = this.#rows.map((state) => state.sequence);
    const uses = new Array<number>(old.length).fill(0);
    for (const { from } of rows) {
      if (from === null) continue;
      if (uses[from] === undefined) throw new RangeError(`row: expected from below ${old.length}, got ${from}`);
      uses[from]++;
    }
    for (const [i, count] of uses.entries()) if (count === 0) this.#model.release(old[i]!);
    // Only sequences listed here are open, so that a failure half way leaves nothing behind.
    const left = new Set(old.filter((_, i) => uses[i]! > 0));
    const placed: RowState[] = [];
    try {
      for (const row of rows) {
        const sequence = this.#sequenceFor(row, old, uses, left);
        placed.push({ row, sequence, fed: 0, logits: [], hidden: [], layers: [] });
      }
    } catch (error) {
      for (const sequence of [...left, ...placed.map((state) => state.sequence)]) this.#model.release(sequence);
      this.#rows = [];
      throw error;
    }
    return placed;
  }

  #sequenceFor(row: Row, old: readonly SequenceId[], uses: number[], left: Set<SequenceId>): SequenceId {
    if (row.from === null) return this.#model.open();
    const source = old[row.from]!;
    const keep = row.keep ?? this.#model.length(source);
    if (--uses[row.from]! > 0) return this.#model.fork(source, keep);
    left.delete(source);
    this.#model.truncate(source, keep);
    return source;
  }
}
