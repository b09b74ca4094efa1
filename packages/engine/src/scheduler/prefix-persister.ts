/**
 * Persists prefixes of the prefix cache that a second request has reused, so that the next process does not compute
 * them again. Prefixes that one request alone used are not stored: with GPT-J-6B a token takes half a megabyte. Nor are those
 * of adapters that are known by a name alone, which the next process may have for another file.
 *
 * A prefix is copied out of the model between two evaluations, which takes about as long as one of them, and written to
 * the store during the next ones.
 *
 * States: **restoring** (fills the cache from the store, while the model is idle) → **running** → **closed**. After the first
 * failure of the store nothing more is persisted in this process (`#isBroken`).
 *
 * Invariants
 * - `#persisted` contains every prefix that is stored or being written. None of them continues another one by fewer than
 *   `MIN_PERSISTED_TOKENS` tokens.
 * - At most one prefix is being written at a time.
 */
import {
  type AdapterUse,
  adaptersKey,
  canonicalAdapters,
  type LanguageModel,
  ModelError,
  type TokenId,
} from '@gptj-cloud/model';
import { namesBytes } from '../adapters/adapter-file.ts';
import type { Prefix } from '../prefix-store/prefix-file.ts';
import type { PrefixStore } from '../prefix-store/prefix-store.ts';
import type { PrefixCache } from './prefix-cache.ts';
import { PrefixTree, sharedLength } from './prefix-tree.ts';

export interface PrefixPersisterOptions {
  readonly model: LanguageModel;
  readonly prefixes: PrefixCache;
  readonly store: PrefixStore;
  /** Called when a prefix could not be read or written. Generations are not affected. */
  readonly onWarning: (message: string) => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Shorter prefixes, and shorter continuations of a persisted one, are computed again: one to two seconds with 6B. */
const MIN_PERSISTED_TOKENS = 64;
/** Maximum number of prefixes that wait to be written; the oldest are dropped. */
const MAX_QUEUED = 8;
/** Minimum time between two updates of a prefix's time of use in the store. */
const TOUCH_INTERVAL_MS = 60_000;
/** Time limit for writing the queued prefixes when the model is about to close. */
const CLOSE_TIMEOUT_MS = 3_000;

interface PersistedPrefix extends Prefix {
  touchedAt: number;
}

export class PrefixPersister {
  readonly #options: PrefixPersisterOptions;
  /** By `adaptersKey`. */
  readonly #persisted = new Map<string, PrefixTree<PersistedPrefix>>();
  #queue: Prefix[] = [];
  #writing: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  /** The store has failed; it is assumed to fail every time. */
  #isBroken = false;

  constructor(options: PrefixPersisterOptions) {
    this.#options = options;
  }

  /** Fill the cache with stored prefixes until it is full. Never rejects. Call it while the model is idle. */
  async restore(): Promise<void> {
    const { model, prefixes, store } = this.#options;
    try {
      const stored = await store.list();
      for (const prefix of stored) this.#record(prefix);
      let room = model.freeCells;
      let entries = prefixes.maxEntries;
      const loaded = new Set(model.capabilities.adapters);
      const chosen = stored.filter(({ tokens: { length }, lora }) => {
        if (length > room || length > model.config.contextLength || entries === 0) return false;
        // Those of adapters that are added again later stay.
        if (!lora.every(({ name }) => loaded.has(name))) return false;
        room -= length;
        entries--;
        return true;
      });
      // The most recently used one is put last, so that the cache drops it last.
      for (const prefix of chosen.reverse()) await this.#restoreOne(prefix);
    } catch (error) {
      this.#giveUp('stored prefixes could not be read', error);
    }
  }

  /** Record that a generation with these adapters has reused these tokens of the cache. */
  recordReuse(tokens: readonly TokenId[], uses: readonly AdapterUse[] = []): void {
    const lora = canonicalAdapters(uses);
    if (this.#isBroken || tokens.length < MIN_PERSISTED_TOKENS || !lora.every(({ name }) => namesBytes(name))) return;
    const { now } = this.#options;
    const key = adaptersKey(lora);
    const found = this.#persistedWith(lora).longest(tokens);
    if (found !== null && tokens.length - found.length < MIN_PERSISTED_TOKENS) {
      if (now() - found.value.touchedAt < TOUCH_INTERVAL_MS) return;
      found.value.touchedAt = now();
      void this.#touch(found.value);
      return;
    }
    const covers = (queued: Prefix): boolean =>
      adaptersKey(queued.lora) === key && tokens.length - sharedLength(queued.tokens, tokens, 0) < MIN_PERSISTED_TOKENS;
    if (this.#queue.some(covers)) return;
    if (this.#queue.length === MAX_QUEUED) this.#queue.shift();
    this.#queue.push({ tokens, lora });
  }

  /**
   * Start to write the next queued prefix, unless one is being written. Call it between evaluations.
   *
   * @param onWritten called when the next one can be written
   */
  persistNext(onWritten: () => void): void {
    if (this.#writing !== null) return;
    const next = this.#copyNext();
    if (next === null) return;
    this.#writing = this.#write(next.prefix, next.bytes).finally(() => {
      this.#writing = null;
      onWritten();
    });
  }

  /** Write the queued prefixes, for at most `CLOSE_TIMEOUT_MS`. Idempotent. Call it when the model is idle. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { now } = this.#options;
    const startedAt = now();
    await this.#writing;
    while (now() - startedAt < CLOSE_TIMEOUT_MS) {
      const next = this.#copyNext();
      if (next === null) return;
      await this.#write(next.prefix, next.bytes);
    }
  }

  async #touch(prefix: PersistedPrefix): Promise<void> {
    try {
      // A prefix that the store has evicted is persisted again at its next reuse.
      if (!(await this.#options.store.touch(prefix))) this.#forget(prefix);
    } catch (error) {
      this.#giveUp('the use of a stored prefix could not be recorded', error);
    }
  }

  async #restoreOne(prefix: Prefix): Promise<void> {
    const { tokens, lora } = prefix;
    const { model, prefixes, store, onWarning } = this.#options;
    const bytes = await store.read(prefix);
    if (bytes === null) {
      this.#forget(prefix);
      onWarning('a stored prefix is damaged or gone, and is computed again');
      return;
    }
    try {
      const sequence = model.restore(bytes, tokens.length, lora);
      prefixes.put(tokens, sequence, adaptersKey(lora));
      model.release(sequence);
    } catch (error) {
      // The adapter was removed meanwhile.
      if (error instanceof ModelError && error.code === 'unknown_adapter') return;
      if (!(error instanceof ModelError && error.code === 'snapshot_invalid')) throw error;
      this.#forget(prefix);
      await store.remove(prefix);
      onWarning(`a stored prefix could not be restored, and is computed again: ${error.message}`);
    }
  }

  /** The next queued prefix that the cache still has, with its bytes; null when there is none. */
  #copyNext(): { readonly prefix: Prefix; readonly bytes: Uint8Array } | null {
    const { model, prefixes } = this.#options;
    for (let prefix = this.#queue.shift(); prefix !== undefined; prefix = this.#queue.shift()) {
      const { tokens, lora } = prefix;
      const held = prefixes.take(tokens, tokens.length, adaptersKey(lora));
      if (held === null) continue;
      try {
        if (held.length === tokens.length) return { prefix, bytes: model.snapshot(held.sequence) };
      } catch (error) {
        this.#giveUp('a prefix could not be copied', error);
      } finally {
        model.release(held.sequence);
      }
    }
    return null;
  }

  async #write(prefix: Prefix, bytes: Uint8Array): Promise<void> {
    const { store } = this.#options;
    const found = this.#persistedWith(prefix.lora).longest(prefix.tokens);
    // Recorded first, so that it is written once; also when it is too large, because it will always be.
    this.#record(prefix);
    try {
      if (!(await store.write(prefix, bytes))) {
        this.#options.onWarning(`a prefix of ${bytes.byteLength} bytes is larger than the prefix store's limit`);
      }
      // The new prefix serves the prompts of the one that it continues.
      if (found !== null && found.length === found.value.tokens.length) {
        this.#forget(found.value);
        await store.remove(found.value);
      }
    } catch (error) {
      this.#giveUp('a prefix could not be stored', error);
    }
  }

  #record({ tokens, lora }: Prefix): void {
    this.#persistedWith(lora).set(tokens, { tokens, lora, touchedAt: this.#options.now() });
  }

  #forget({ tokens, lora }: Prefix): void {
    this.#persistedWith(lora).delete(tokens);
  }

  #persistedWith(lora: readonly AdapterUse[]): PrefixTree<PersistedPrefix> {
    const key = adaptersKey(lora);
    const tree = this.#persisted.get(key) ?? new PrefixTree<PersistedPrefix>();
    this.#persisted.set(key, tree);
    return tree;
  }

  #giveUp(failure: string, error: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#queue = [];
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.onWarning(`${failure}; no prefixes are persisted until the next start: ${reason}`);
  }
}
