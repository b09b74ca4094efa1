/**
 * Prompts and outputs whose keys and values stay in the model's cache after their generation, for the next one that
 * begins alike. GPT-J is a base model: people send the same long few-shot prompt with every call.
 *
 * An entry is a sequence of the model, forked from the one that computed it: it costs a sequence id, and cells only
 * once nobody else uses them. Entries go, least recently used first, when cells or sequence ids are wanted.
 *
 * Invariants
 * - No entry is a prefix of another: the longer one answers for both.
 * - `#order` lists the entries from least to most recently used.
 */
import type { LanguageModel, SequenceId, TokenId } from '@gptj-cloud/model';
import { PrefixTree } from './prefix-tree.ts';

/** Prefixes shorter than this are computed again: a fork would cost about as much. */
export const MIN_PREFIX_TOKENS = 16;

export interface PrefixCacheOptions {
  /** Sequences the cache may hold open. */
  readonly maxEntries: number;
}

/** A prefix found, forked for its new owner. */
export interface TakenPrefix {
  readonly sequence: SequenceId;
  readonly length: number;
}

interface Entry {
  readonly sequence: SequenceId;
  readonly tokens: readonly TokenId[];
}

export class PrefixCache {
  readonly #model: LanguageModel;
  /** Sequences it holds open at most. */
  readonly maxEntries: number;
  readonly #tree = new PrefixTree<Entry>();
  readonly #order = new Set<Entry>();

  constructor(model: LanguageModel, options: PrefixCacheOptions) {
    this.#model = model;
    this.maxEntries = options.maxEntries;
  }

  get entries(): number {
    return this.#order.size;
  }

  /** How many of the first `max` tokens are stored; 0 when too few to be worth taking. */
  match(tokens: readonly TokenId[], max: number = tokens.length): number {
    const length = Math.min(this.#tree.longest(tokens)?.length ?? 0, max);
    return length < MIN_PREFIX_TOKENS ? 0 : length;
  }

  /** A new sequence that begins with as many of the first `max` tokens as are stored; null when too few are. */
  take(tokens: readonly TokenId[], max: number): TakenPrefix | null {
    const found = this.#tree.longest(tokens);
    const length = Math.min(found?.length ?? 0, max);
    if (found === null || length < MIN_PREFIX_TOKENS) return null;
    this.#touch(found.value);
    return { sequence: this.#model.fork(found.value.sequence, length), length };
  }

  /** Remember a sequence that holds exactly `tokens`. The caller keeps its own. */
  put(tokens: readonly TokenId[], sequence: SequenceId): void {
    if (tokens.length < MIN_PREFIX_TOKENS || this.maxEntries === 0) return;
    const found = this.#tree.longest(tokens);
    if (found !== null && found.length === tokens.length) {
      this.#touch(found.value);
      return;
    }
    // What the new entry continues is answered for by it.
    if (found !== null && found.length === found.value.tokens.length) this.#drop(found.value);
    while (this.#order.size >= this.maxEntries) this.#dropOldest();
    const entry: Entry = { tokens: [...tokens], sequence: this.#model.fork(sequence) };
    this.#tree.set(entry.tokens, entry);
    this.#order.add(entry);
  }

  /** Drop entries until `cells` cells are free, or none is left. */
  makeRoom(cells: number): void {
    while (this.#model.freeCells < cells && this.#order.size > 0) this.#dropOldest();
  }

  clear(): void {
    while (this.#order.size > 0) this.#dropOldest();
  }

  #touch(entry: Entry): void {
    this.#order.delete(entry);
    this.#order.add(entry);
  }

  #dropOldest(): void {
    const [oldest] = this.#order;
    if (oldest !== undefined) this.#drop(oldest);
  }

  #drop(entry: Entry): void {
    this.#order.delete(entry);
    this.#tree.delete(entry.tokens);
    this.#model.release(entry.sequence);
  }
}
