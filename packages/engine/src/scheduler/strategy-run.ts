/**
 * One active generation: a decoding strategy, and a sequence of the model for each row that it has requested.
 *
 * A row that continues no other row starts from the longest prefix of it in the prefix cache.
 *
 * States: constructed → `begin` → (`feed` until `complete`, then `advance`)* → `outcome` is set → released.
 *
 * Invariants
 * - Between two requests the run owns exactly one open sequence per row of the last request.
 * - `release` closes them all; it may be called in any state, more than once.
 */
import {
  type BeamCandidate,
  countPositions,
  type Drafting,
  type FinalTokens,
  type GenerateOutcome,
  type Row,
  type RowResult,
  type ScoreRequest,
  type Strategy,
} from '@gptj-cloud/decoding';
import {
  type AdapterUse,
  adaptersKey,
  type LanguageModel,
  ModelError,
  type SequenceId,
  type Step,
  type StepResult,
  type TokenId,
} from '@gptj-cloud/model';
import { adapterName } from '../adapters/adapter-file.ts';
import type { LabelledPrompt, PrefixCache } from './prefix-cache.ts';

/** A row of the current request that still has tokens to evaluate. */
export interface RowWork {
  readonly row: Row;
  readonly sequence: SequenceId;
  /** Number of the row's tokens that are evaluated. */
  readonly fed: number;
}

interface RowState {
  row: Row;
  readonly sequence: SequenceId;
  /** The sequence's tokens once the row is evaluated. */
  readonly content: TokenId[];
  fed: number;
  /** The end of the row's tokens that is a draft of the engine. */
  drafted: readonly TokenId[];
  readonly logits: Float32Array[];
  readonly hidden: Float32Array[];
  readonly layers: Float32Array[][];
}

export class StrategyRun {
  readonly #model: LanguageModel;
  readonly #strategy: Strategy<GenerateOutcome>;
  readonly #prefixes: PrefixCache | null;
  readonly #adapters: readonly AdapterUse[];
  readonly #adaptersKey: string;
  readonly #labelled: LabelledPrompt | null;
  #rows: RowState[] = [];
  #outcome: GenerateOutcome | null = null;
  #searched: readonly BeamCandidate[] | null = null;
  #positions = 0;
  #accepted = 0;
  /** The adapters have taken the numbers of the model beyond those of floats. */
  #isOverflow = false;
  readonly #reused: (readonly TokenId[])[] = [];
  /** Rows of results that are no views any more. */
  readonly #copied = new WeakSet<Float32Array>();

  /**
   * @param adapters of all its sequences
   * @param labelled what the prefix cache calls the beginnings of its prompt
   */
  constructor(
    model: LanguageModel,
    strategy: Strategy<GenerateOutcome>,
    prefixes: PrefixCache | null,
    adapters: readonly AdapterUse[] = [],
    labelled: LabelledPrompt | null = null,
  ) {
    this.#labelled = labelled;
    this.#adapters = adapters;
    this.#adaptersKey = adaptersKey(adapters);
    this.#model = model;
    this.#strategy = strategy;
    this.#prefixes = prefixes;
  }

  /** Positions of all requests so far, the current one included, whether or not the prefix cache had them. */
  get positions(): number {
    return this.#positions;
  }

  /** Prefixes of rows that came from the prefix cache so far. */
  get reused(): readonly (readonly TokenId[])[] {
    return this.#reused;
  }

  /** Number of prompt tokens that came from the prefix cache. */
  get cachedTokens(): number {
    return this.#reused.reduce((sum, { length }) => sum + length, 0);
  }

  /** Prompts of the current request that are not evaluated yet, each in full. */
  get prompts(): readonly (readonly TokenId[])[] {
    return this.#rows
      .filter(({ row, fed }) => row.from === null && fed < row.tokens.length)
      .map(({ row }) => row.tokens);
  }

  /** The tokens of the current request that may be drafted; null where there are none, or a draft. */
  get drafting(): Drafting | null {
    const [state, ...others] = this.#rows;
    if (state === undefined || others.length > 0 || state.fed > 0 || state.drafted.length > 0) return null;
    return state.row.drafting ?? null;
  }

  /** Number of tokens of the last draft that agreed. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Null until the strategy has returned. */
  get outcome(): GenerateOutcome | null {
    return this.#outcome;
  }

  /** Rows that are not evaluated yet. */
  get work(): readonly RowWork[] {
    return this.#rows.filter((state) => state.fed < state.row.tokens.length);
  }

  /** Whether every row of the current request is evaluated. */
  get complete(): boolean {
    return this.#rows.every((state) => state.fed === state.row.tokens.length);
  }

  /** Start the strategy. Returns the tokens that are final already. */
  begin(): readonly FinalTokens[] {
    return this.#take(this.#strategy.next());
  }

  /** Append a draft to the row that allows it. */
  draft(tokens: readonly TokenId[]): void {
    const { drafting } = this;
    if (drafting === null || tokens.length > drafting.maxTokens) {
      throw new RangeError(`draft: expected at most ${drafting?.maxTokens ?? 0} tokens, got ${tokens.length}`);
    }
    const state = this.#rows[0]!;
    state.row = { ...state.row, tokens: [...state.row.tokens, ...tokens] };
    state.content.push(...tokens);
    state.drafted = tokens;
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

  /** Record the results of an evaluation of `count` tokens of a row. */
  feed(work: RowWork, count: number, result: StepResult): void {
    const state = work as RowState;
    state.fed += count;
    // A sum that overflowed has made every score of its row NaN: the first is enough to see it.
    if (this.#adapters.length > 0 && result.logits.some(([score]) => Number.isNaN(score))) this.#isOverflow = true;
    if (state.row.from === null && state.fed === state.content.length && !this.#isOverflow)
      this.#prefixes?.put(state.content, state.sequence, this.#adaptersKey, this.#labelled);
    state.logits.push(...result.logits);
    state.hidden.push(...result.hidden);
    for (const [i, rows] of result.layers.entries()) {
      state.layers[i] ??= [];
      state.layers[i].push(...rows);
    }
  }

  /** Copy the results so far: they are views that the next evaluation overwrites. */
  copyResults(): void {
    for (const state of this.#rows) {
      for (const rows of [state.logits, state.hidden, ...state.layers]) {
        for (const [i, row] of rows.entries()) {
          if (this.#copied.has(row)) continue;
          const copy = row.slice();
          this.#copied.add(copy);
          rows[i] = copy;
        }
      }
    }
  }

  /** What the newest step of a beam search considered, once; null where it was taken, or nothing is recorded. */
  takeSearched(): readonly BeamCandidate[] | null {
    const searched = this.#searched;
    this.#searched = null;
    return searched;
  }

  /**
   * Resume the strategy with the results of the complete request. Returns the tokens that became final. Throws
   * `generation_impossible` where the adapters take the numbers of the model beyond those of floats.
   */
  advance(): readonly FinalTokens[] {
    this.#checkFinite();
    const result: RowResult[] = this.#rows.map(({ logits, hidden, layers, drafted }) => ({
      logits,
      hidden,
      layers,
      drafted,
    }));
    const sequence = this.#rows[0]?.row.drafting?.sequence ?? [];
    const before = sequence.length;
    const next = this.#strategy.next(result);
    // The strategy has appended the draft tokens that agreed and one of its own choice.
    this.#accepted = Math.max(0, sequence.length - before - 1);
    return this.#take(next);
  }

  #checkFinite(): void {
    if (!this.#isOverflow) return;
    const names = this.#adapters.map(({ name: id, scale }) => `${adapterName(id)} at the scale ${scale}`).join(', ');
    throw new ModelError(
      'generation_impossible',
      `lora: the numbers of the model are not finite with ${names}; lower the scale, or train the adapter again`,
    );
  }

  /** Close every sequence. A single one goes into the prefix cache, for a request that continues it. */
  release(): void {
    const rows = this.#rows;
    this.#rows = [];
    for (const { sequence, content, row, fed } of rows) {
      const held = content.length - (row.tokens.length - fed);
      if (rows.length === 1 && !this.#isOverflow)
        this.#prefixes?.put(content.slice(0, held), sequence, this.#adaptersKey, this.#labelled);
      this.#model.release(sequence);
    }
  }

  #take(next: IteratorResult<ScoreRequest, GenerateOutcome>): readonly FinalTokens[] {
    if (next.done) {
      this.#outcome = next.value;
      this.release();
      return [];
    }
    this.#rows = this.#place(next.value.rows);
    this.#positions += countPositions(next.value.rows);
    this.#searched = next.value.searched ?? null;
    return next.value.finalTokens;
  }

  /** Open a sequence for every row: the last row that continues a sequence takes it over, the others fork it. */
  #place(rows: readonly Row[]): RowState[] {
    const before = this.#rows;
    const old = before.map((state) => state.sequence);
    const uses = new Array<number>(old.length).fill(0);
    for (const { from } of rows) {
      if (from === null) continue;
      if (uses[from] === undefined) throw new RangeError(`row: expected from below ${old.length}, got ${from}`);
      uses[from]++;
    }
    for (const [i, count] of uses.entries()) if (count === 0) this.#model.release(old[i]!);
    // The open sequences that no row has taken over yet: a failure releases them.
    const left = new Set(old.filter((_, i) => uses[i]! > 0));
    const placed: RowState[] = [];
    try {
      for (const row of rows) {
        if (row.from === null) {
          placed.push(this.#fresh(row));
          continue;
        }
        const { content } = before[row.from]!;
        const last = uses[row.from] === 1;
        const sequence = this.#continued(row, row.from, old, uses, left);
        const kept = last ? content : content.slice(0, this.#model.length(sequence));
        kept.length = this.#model.length(sequence);
        kept.push(...row.tokens);
        placed.push({ row, sequence, content: kept, fed: 0, drafted: [], logits: [], hidden: [], layers: [] });
      }
    } catch (error) {
      for (const sequence of [...left, ...placed.map((state) => state.sequence)]) this.#model.release(sequence);
      this.#rows = [];
      throw error;
    }
    return placed;
  }

  #fresh(row: Row): RowState {
    // The last token is always computed, for its scores; a row scored at every position is computed in full.
    const max = row.scored === 'all' ? 0 : row.tokens.length - 1;
    const prefix = this.#prefixes?.take(row.tokens, max, this.#adaptersKey) ?? null;
    const fed = prefix?.length ?? 0;
    if (fed > 0) this.#reused.push(row.tokens.slice(0, fed));
    return {
      row,
      sequence: prefix?.sequence ?? this.#model.open(this.#adapters),
      content: [...row.tokens],
      fed,
      drafted: [],
      logits: [],
      hidden: [],
      layers: [],
    };
  }

  #continued(row: Row, from: number, old: readonly SequenceId[], uses: number[], left: Set<SequenceId>): SequenceId {
    const source = old[from]!;
    const keep = row.keep ?? this.#model.length(source);
    if (--uses[from]! > 0) return this.#model.fork(source, keep);
    left.delete(source);
    this.#model.truncate(source, keep);
    return source;
  }
}
