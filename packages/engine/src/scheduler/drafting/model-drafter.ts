/**
 * Drafts with a small model of the same vocabulary: it evaluates what a generation has so far, then token by token what it
 * expects to follow, all generations that draft together in one batch.
 *
 * Each generation has at most one sequence of the draft model. It is cut where the text went another way than drafted, fed
 * what it has not seen, and released when the generation ends or, the least recently used first, when others need its cells.
 * It is then fed from the start again. A long text is fed in parts, and nothing is drafted before it is complete.
 *
 * Invariants
 * - `#held` lists the sequences from least to most recently used; `tokens` are those of the sequence's positions.
 * - A failure of the draft model ends the drafting, not the generations.
 */
import type { LanguageModel, SequenceId, Step, StepResult, TokenId } from '@gptj-cloud/model';
import { DecodeCost } from '../decode-cost.ts';
import { PrefixCache } from '../prefix-cache.ts';
import { sharedLength } from '../prefix-tree.ts';
import type { Drafter, DraftOffer, DraftOrder, DraftTask } from './drafter.ts';

export interface ModelDrafterOptions {
  readonly model: LanguageModel;
  /** Evaluates steps of the model, when nothing else uses its threads. */
  readonly evaluate: (steps: readonly Step[]) => Promise<readonly StepResult[]>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Called when the draft model has failed and is not used any more. */
  readonly onFailure: (reason: string) => void;
}

interface Held {
  readonly sequence: SequenceId;
  readonly tokens: TokenId[];
}

/** One generation's draft in progress. */
interface Progress {
  readonly order: DraftOrder;
  readonly held: Held;
  readonly draft: TokenId[];
  readonly step: Step;
}

/** Maximum number of sequences that the prefix cache of the draft model keeps. */
const MAX_PREFIXES = 16;
/** Tokens of a text in one part while no time of a token is known. */
const FIRST_PART_TOKENS = 64;
const MIN_PART_TOKENS = 16;
const MAX_PART_TOKENS = 512;
/** An evaluation with more tokens for each sequence says what a token of a text takes, one with fewer what a step takes. */
const MAX_STEP_TOKENS = 4;
/** Weight of the newest measurement in the moving average. */
const SMOOTHING = 0.2;

export class ModelDrafter implements Drafter {
  readonly source = 'model';
  readonly #options: ModelDrafterOptions;
  readonly #prefixes: PrefixCache;
  readonly #held = new Map<object, Held>();
  readonly #maxHeld: number;
  readonly #steps = new DecodeCost();
  /** Milliseconds of a token of a text, averaged; null before the first. */
  #tokenMs: number | null = null;
  #hasFailed = false;

  constructor(options: ModelDrafterOptions) {
    const { model } = options;
    const maxEntries = Math.min(MAX_PREFIXES, model.limits.maxSequences >> 2);
    this.#options = options;
    this.#prefixes = new PrefixCache(model, { maxEntries });
    this.#maxHeld = model.limits.maxSequences - maxEntries;
  }

  offers(tasks: readonly DraftTask[]): readonly (DraftOffer | null)[] {
    const { config, limits } = this.#options.model;
    const tokenMs = this.#steps.ms(tasks.length, 0) ?? 0;
    return tasks.map((task) => {
      const { sequence, maxTokens } = task.drafting;
      // The last draft token is not evaluated.
      const room = Math.min(config.contextLength, limits.cacheCells) - sequence.length + 1;
      // The text has become too long for the draft model.
      if (room < 1) this.forget(task.key);
      if (this.#hasFailed || room < 1) return null;
      const onceMs = this.#unseen(task) * (this.#tokenMs ?? 0);
      return { ...task, maxTokens: Math.min(maxTokens, room), tokenMs, onceMs };
    });
  }

  async draft(orders: readonly DraftOrder[], maxMs: number): Promise<readonly (readonly TokenId[])[]> {
    const drafts = new Map<DraftOrder, TokenId[]>(orders.map((order) => [order, []]));
    try {
      let running: readonly Progress[] = this.#begin(orders, drafts, this.#partTokens(maxMs));
      while (running.length > 0) running = await this.#advance(running);
    } catch (error) {
      this.#hasFailed = true;
      this.close();
      this.#options.onFailure((error as Error).message);
    }
    return orders.map((order) => drafts.get(order)!);
  }

  forget(key: object): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    // A request that continues the text, or has the same prompt, starts from it.
    this.#prefixes.put(held.tokens, held.sequence);
    this.#drop(key);
  }

  close(): void {
    for (const key of [...this.#held.keys()]) this.#drop(key);
    this.#prefixes.clear();
  }

  /** Tokens that the model has to evaluate before it drafts; at least one, whose logits are needed. */
  #unseen({ key, drafting }: DraftTask): number {
    const { sequence } = drafting;
    const held = this.#held.get(key);
    const seen = held === undefined ? this.#prefixes.match(sequence) : sharedLength(held.tokens, sequence, 0);
    return Math.max(1, sequence.length - seen);
  }

  #partTokens(maxMs: number): number {
    if (this.#tokenMs === null) return FIRST_PART_TOKENS;
    return Math.max(MIN_PART_TOKENS, Math.min(MAX_PART_TOKENS, Math.floor(maxMs / this.#tokenMs)));
  }

  /** The first steps: those with the fewest unseen tokens first, at most `maxTokens` together. */
  #begin(
    orders: readonly DraftOrder[],
    drafts: ReadonlyMap<DraftOrder, TokenId[]>,
    maxTokens: number,
  ): readonly Progress[] {
    const unseen = new Map(orders.map((order) => [order, this.#unseen(order.offer)]));
    const inUse = new Set(orders.map(({ offer }) => offer.key));
    let left = Math.min(maxTokens, this.#options.model.limits.maxBatchTokens);
    let cells = 0;
    const begun: Progress[] = [];
    for (const order of orders.toSorted((a, b) => unseen.get(a)! - unseen.get(b)!)) {
      const count = Math.min(left, unseen.get(order)!);
      const needed = cells + count + order.length - 1;
      if (count === 0 || begun.length === this.#maxHeld || !this.#makeRoom(needed, inUse)) break;
      const held = this.#hold(order.offer);
      const tokens = order.offer.drafting.sequence.slice(held.tokens.length, held.tokens.length + count);
      const isLast = held.tokens.length + count === order.offer.drafting.sequence.length;
      const step: Step = { sequence: held.sequence, tokens, scored: isLast ? 'last' : 'none' };
      begun.push({ order, held, draft: drafts.get(order)!, step });
      left -= count;
      cells = needed;
    }
    return begun;
  }

  /** Evaluate a step of each draft. Returns those that go on, with their next steps. */
  async #advance(running: readonly Progress[]): Promise<readonly Progress[]> {
    const { evaluate, now } = this.#options;
    const startedAt = now();
    const results = await evaluate(running.map(({ step }) => step));
    const next: Progress[] = [];
    for (const [i, progress] of running.entries()) {
      const { order, held, draft, step } = progress;
      held.tokens.push(...step.tokens);
      if (step.scored === 'none') continue;
      const token = order.offer.drafting.guess(results[i]!.logits[0]!, draft);
      if (token === null) continue;
      draft.push(token);
      if (draft.length === order.length) continue;
      next.push({ ...progress, step: { sequence: held.sequence, tokens: [token], scored: 'last' } });
    }
    this.#measure(running, now() - startedAt);
    return next;
  }

  #measure(running: readonly Progress[], ms: number): void {
    const tokens = running.reduce((sum, { step }) => sum + step.tokens.length, 0);
    if (tokens <= MAX_STEP_TOKENS * running.length) this.#steps.add(running.length, ms);
    else if (tokens >= MIN_PART_TOKENS) {
      const measured = ms / tokens;
      this.#tokenMs = this.#tokenMs === null ? measured : this.#tokenMs + SMOOTHING * (measured - this.#tokenMs);
    }
  }

  /** The generation's sequence, which has a beginning of its text; the last token is left for its logits. */
  #hold({ key, drafting }: DraftTask): Held {
    const { model } = this.#options;
    const { sequence } = drafting;
    const max = sequence.length - 1;
    const known = this.#held.get(key);
    if (known === undefined) {
      if (this.#held.size >= this.#maxHeld) this.#drop(this.#held.keys().next().value!);
      const prefix = this.#prefixes.take(sequence, max);
      const opened = { sequence: prefix?.sequence ?? model.open(), tokens: sequence.slice(0, prefix?.length ?? 0) };
      this.#held.set(key, opened);
      return opened;
    }
    known.tokens.length = Math.min(sharedLength(known.tokens, sequence, 0), max);
    model.truncate(known.sequence, known.tokens.length);
    this.#held.delete(key);
    this.#held.set(key, known);
    return known;
  }

  /** Free `cells` cells, of sequences that are not in use. False where there are too few. */
  #makeRoom(cells: number, inUse: ReadonlySet<object>): boolean {
    const { model } = this.#options;
    this.#prefixes.makeRoom(cells);
    for (const key of [...this.#held.keys()]) {
      if (model.freeCells >= cells) return true;
      if (!inUse.has(key)) this.#drop(key);
    }
    return model.freeCells >= cells;
  }

  #drop(key: object): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#options.model.release(held.sequence);
  }
}
