/**
 * The prefix cache: keys and values of prompts and outputs stay in the model's cache after their generation, and a later
 * generation with the same prefix forks them. GPT-J is a base model, so clients send the same long few-shot prompt with
 * every call.
 *
 * An entry is a sequence of the model, forked from the one that computed it. It costs a sequence id, and cells only once
 * no generation shares them. Entries are evicted, least recently used first, when cells or sequence ids are needed.
 *
 * Invariants
 * - No entry is a prefix of another: the longer entry serves both.
 * - `#order` lists the entries from least to most recently used.
 */
import type { LanguageModel, SequenceId, TokenId } from '@gptj-cloud/model';
import { PrefixTree } from './prefix-tree.ts';

/** Shorter prefixes are computed again: a fork would take about as long. */
export const MIN_PREFIX_TOKENS = 16;

export interface PrefixCacheOptions {
  /** Maximum number of sequences that the cache holds open. */
  readonly maxEntries: number;
}

/** A cached prefix, forked for the caller, who releases the sequence. */
export interface ForkedPrefix {
  readonly sequence: SequenceId;
  readonly length: number;
}

interface Entry {
  readonly sequence: SequenceId;
  readonly tokens: readonly TokenId[];
}

export class PrefixCache {
  readonly #model: LanguageModel;
  /** Maximum number of sequences that the cache holds open. */
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

  /** Length of the longest cached prefix of `tokens`, at most `max`; 0 when it is shorter than {@link MIN_PREFIX_TOKENS}. */
  match(tokens: readonly TokenId[], max: number = tokens.length): number {
    const length = Math.min(this.#tree.longest(tokens)?.length ?? 0, max);
    return length < MIN_PREFIX_TOKENS ? 0 : length;
  }

  /** A fork of the longest cached prefix of `tokens`, at most `max` tokens; null where {@link match} gives 0. */
  take(tokens: readonly TokenId[], max: number): ForkedPrefix | null {
    const found = this.#tree.longest(tokens);
    const length = Math.min(found?.length ?? 0, max);
    if (found === null || length < MIN_PREFIX_TOKENS) return null;
    this.#touch(found.value);
    return { sequence: this.#model.fork(found.value.sequence, length), length };
  }

  /** Cache a sequence of exactly `tokens`. The caller must still release its own sequence. */
  put(tokens: readonly TokenId[], sequence: SequenceId): void {
    if (tokens.length < MIN_PREFIX_TOKENS || this.maxEntries === 0) return;
    const found = this.#tree.longest(tokens);
    if (found !== null && found.length === tokens.length) {
      this.#touch(found.value);
      return;
    }
    // The new entry serves the prompts of the entry that it continues.
    if (found !== null && found.length === found.value.tokens.length) this.#drop(found.value);
    while (this.#order.size >= this.maxEntries) this.#dropOldest();
    const entry: Entry = { tokens: [...tokens], sequence: this.#model.fork(sequence) };
    this.#tree.set(entry.tokens, entry);
    this.#order.add(entry);
  }

  /** Evict entries until `cells` cells are free or no entry is left. */
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
