/**
 * The prefix cache: keys and values of prompts and outputs stay in the model's cache after their generation, and a later
 * generation with the same prefix forks them. GPT-J is a base model, so clients send the same long few-shot prompt with
 * every call.
 *
 * An entry is a sequence of the model, forked from the one that computed it. It costs a sequence id, and cells only once
 * no generation shares them. Entries are evicted, least recently used first, when cells or sequence ids are needed.
 *
 * Keys and values depend on the adapters with which they were computed: an entry serves requests with the same ones alone.
 *
 * Invariants
 * - No entry is a prefix of another with the same adapters: the longer entry serves both.
 * - `#order` lists the entries from least to most recently used.
 * - An entry has the labels of those blocks of requests' prompts alone whose tokens it holds.
 */
import { type LanguageModel, type SequenceId, type TokenId, usesAdapter } from '@gptj-cloud/model';
import { type Match, PrefixTree, sharedLength } from './prefix-tree.ts';

/** Shorter prefixes are computed again: a fork would take about as long. */
export const MIN_PREFIX_TOKENS = 16;

/** Tokens of a prompt that one label of a request stands for. */
export const PREFIX_BLOCK_TOKENS = 64;
/** Of one entry: prompts of several tenants may share it. */
const MAX_LABELS_OF_ENTRY = 128;
/** Of all entries, as they are reported. */
const MAX_LABELS = 512;

/** Names that the caller gives the beginnings of a prompt: the first for its first block, the second for its first two, … */
export interface LabelledPrompt {
  readonly prompt: readonly TokenId[];
  readonly labels: readonly string[];
}

/** `adaptersKey` of sequences that use none. */
const NO_ADAPTERS = '';

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
  /** `adaptersKey` of the sequence's adapters. */
  readonly adapters: string;
  readonly labels: Set<string>;
}

export class PrefixCache {
  readonly #model: LanguageModel;
  /** Maximum number of sequences that the cache holds open. */
  readonly maxEntries: number;
  /** By the adapters of its entries; none of the trees is empty. */
  readonly #trees = new Map<string, PrefixTree<Entry>>();
  readonly #order = new Set<Entry>();

  constructor(model: LanguageModel, options: PrefixCacheOptions) {
    this.#model = model;
    this.maxEntries = options.maxEntries;
  }

  get entries(): number {
    return this.#order.size;
  }

  /** Labels of the beginnings of prompts that the cache has, those used last first; the rest beyond a bound is left out. */
  get labels(): readonly string[] {
    const labels = new Set<string>();
    for (const entry of [...this.#order].reverse()) {
      for (const label of entry.labels) {
        if (labels.size === MAX_LABELS) return [...labels];
        labels.add(label);
      }
    }
    return [...labels];
  }

  /**
   * Length of the longest cached prefix of `tokens`, computed with these adapters (`adaptersKey`); 0 when it is shorter than
   * {@link MIN_PREFIX_TOKENS}.
   */
  match(tokens: readonly TokenId[], adapters: string = NO_ADAPTERS): number {
    const length = this.#longest(tokens, adapters)?.length ?? 0;
    return length < MIN_PREFIX_TOKENS ? 0 : length;
  }

  /** A fork of the longest cached prefix of `tokens`, at most `max` tokens; null where it is too short. */
  take(tokens: readonly TokenId[], max: number, adapters: string = NO_ADAPTERS): ForkedPrefix | null {
    const found = this.#longest(tokens, adapters);
    const length = Math.min(found?.length ?? 0, max);
    if (found === null || length < MIN_PREFIX_TOKENS) return null;
    this.#touch(found.value);
    return { sequence: this.#model.fork(found.value.sequence, length), length };
  }

  /** Cache a sequence of exactly `tokens`, opened with these adapters. The caller must still release its own sequence. */
  put(
    tokens: readonly TokenId[],
    sequence: SequenceId,
    adapters: string = NO_ADAPTERS,
    labelled: LabelledPrompt | null = null,
  ): void {
    if (tokens.length < MIN_PREFIX_TOKENS || this.maxEntries === 0) return;
    const labels = labelled === null ? [] : labelsOf(labelled, tokens);
    const found = this.#longest(tokens, adapters);
    if (found !== null && found.length === tokens.length) {
      addLabels(found.value.labels, labels);
      this.#touch(found.value);
      return;
    }
    const inherited = found !== null && found.length === found.value.tokens.length ? found.value.labels : [];
    // The new entry serves the prompts of the entry that it continues.
    if (found !== null && found.length === found.value.tokens.length) this.#drop(found.value);
    while (this.#order.size >= this.maxEntries) this.#dropOldest();
    const entry: Entry = { tokens: [...tokens], sequence: this.#model.fork(sequence), adapters, labels: new Set() };
    addLabels(entry.labels, [...inherited, ...labels]);
    const tree = this.#trees.get(adapters) ?? new PrefixTree<Entry>();
    this.#trees.set(adapters, tree);
    tree.set(entry.tokens, entry);
    this.#order.add(entry);
  }

  /** Evict entries until `cells` cells are free or no entry is left. */
  makeRoom(cells: number): void {
    while (this.#model.freeCells < cells && this.#order.size > 0) this.#dropOldest();
  }

  /** Drop the entries that were computed with an adapter. */
  dropAdapter(id: string): void {
    for (const entry of [...this.#order]) if (usesAdapter(entry.adapters, id)) this.#drop(entry);
  }

  clear(): void {
    while (this.#order.size > 0) this.#dropOldest();
  }

  #longest(tokens: readonly TokenId[], adapters: string): Match<Entry> | null {
    return this.#trees.get(adapters)?.longest(tokens) ?? null;
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
    const tree = this.#trees.get(entry.adapters);
    tree?.delete(entry.tokens);
    if (tree?.isEmpty === true) this.#trees.delete(entry.adapters);
    this.#model.release(entry.sequence);
  }
}

/** The labels of the blocks that `tokens` has in common with the prompt. */
function labelsOf({ prompt, labels }: LabelledPrompt, tokens: readonly TokenId[]): readonly string[] {
  return labels.slice(0, Math.floor(sharedLength(prompt, tokens, 0) / PREFIX_BLOCK_TOKENS));
}

function addLabels(to: Set<string>, labels: readonly string[]): void {
  for (const label of labels) {
    to.delete(label);
    to.add(label);
  }
  for (const oldest of to) {
    if (to.size <= MAX_LABELS_OF_ENTRY) return;
    to.delete(oldest);
  }
}
