/**
 * Persists prefixes of the prefix cache that a second request has reused, so that the next process does not compute
 * them again. Prefixes that one request alone used are not stored: with GPT-J-6B a token takes half a megabyte. Nor are those
 * of requests with adapters, to which the store's key, the model's fingerprint, would not belong.
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
import { type LanguageModel, ModelError, type TokenId } from '@gptj-cloud/model';
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

interface PersistedPrefix {
  readonly tokens: readonly TokenId[];
  touchedAt: number;
}

export class PrefixPersister {
  readonly #options: PrefixPersisterOptions;
  readonly #persisted = new PrefixTree<PersistedPrefix>();
  #queue: (readonly TokenId[])[] = [];
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
      for (const tokens of stored) this.#record(tokens);
      let room = model.freeCells;
      let entries = prefixes.maxEntries;
      const chosen = stored.filter(({ length }) => {
        if (length > room || length > model.config.contextLength || entries === 0) return false;
        room -= length;
        entries--;
        return true;
      });
      // The most recently used one is put last, so that the cache drops it last.
      for (const tokens of chosen.reverse()) await this.#restoreOne(tokens);
    } catch (error) {
      this.#giveUp('stored prefixes could not be read', error);
    }
  }

  /** Record that a generation without adapters has reused these tokens of the cache. */
  recordReuse(tokens: readonly TokenId[]): void {
    if (this.#isBroken || tokens.length < MIN_PERSISTED_TOKENS) return;
    const { now } = this.#options;
    const found = this.#persisted.longest(tokens);
    if (found !== null && tokens.length - found.length < MIN_PERSISTED_TOKENS) {
      if (now() - found.value.touchedAt < TOUCH_INTERVAL_MS) return;
      found.value.touchedAt = now();
      void this.#touch(found.value);
      return;
    }
    if (this.#queue.some((queued) => tokens.length - sharedLength(queued, tokens, 0) < MIN_PERSISTED_TOKENS)) return;
    if (this.#queue.length === MAX_QUEUED) this.#queue.shift();
    this.#queue.push(tokens);
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
    this.#writing = this.#write(next.tokens, next.bytes).finally(() => {
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
      await this.#write(next.tokens, next.bytes);
    }
  }

  async #touch({ tokens }: PersistedPrefix): Promise<void> {
    try {
      // A prefix that the store has evicted is persisted again at its next reuse.
      if (!(await this.#options.store.touch(tokens))) this.#persisted.delete(tokens);
    } catch (error) {
      this.#giveUp('the use of a stored prefix could not be recorded', error);
    }
  }

  async #restoreOne(tokens: readonly TokenId[]): Promise<void> {
    const { model, prefixes, store, onWarning } = this.#options;
    const bytes = await store.read(tokens);
    if (bytes === null) {
      this.#persisted.delete(tokens);
      onWarning('a stored prefix is damaged or gone, and is computed again');
      return;
    }
    try {
      const sequence = model.restore(bytes, tokens.length);
      prefixes.put(tokens, sequence);
      model.release(sequence);
    } catch (error) {
      if (!(error instanceof ModelError && error.code === 'snapshot_invalid')) throw error;
      this.#persisted.delete(tokens);
      await store.remove(tokens);
      onWarning(`a stored prefix could not be restored, and is computed again: ${error.message}`);
    }
  }

  /** The next queued prefix that the cache still has, with its bytes; null when there is none. */
  #copyNext(): { readonly tokens: readonly TokenId[]; readonly bytes: Uint8Array } | null {
    const { model, prefixes } = this.#options;
    for (let tokens = this.#queue.shift(); tokens !== undefined; tokens = this.#queue.shift()) {
      const prefix = prefixes.take(tokens, tokens.length);
      if (prefix === null) continue;
      try {
        if (prefix.length === tokens.length) return { tokens, bytes: model.snapshot(prefix.sequence) };
      } catch (error) {
        this.#giveUp('a prefix could not be copied', error);
      } finally {
        model.release(prefix.sequence);
      }
    }
    return null;
  }

  async #write(tokens: readonly TokenId[], bytes: Uint8Array): Promise<void> {
    const { store } = this.#options;
    const found = this.#persisted.longest(tokens);
    // Recorded first, so that it is written once; also when it is too large, because it will always be.
    this.#record(tokens);
    try {
      if (!(await store.write(tokens, bytes))) {
        this.#options.onWarning(`a prefix of ${bytes.byteLength} bytes is larger than the prefix store's limit`);
      }
      // The new prefix serves the prompts of the one that it continues.
      if (found !== null && found.length === found.value.tokens.length) {
        this.#persisted.delete(found.value.tokens);
        await store.remove(found.value.tokens);
      }
    } catch (error) {
      this.#giveUp('a prefix could not be stored', error);
    }
  }

  #record(tokens: readonly TokenId[]): void {
    this.#persisted.set(tokens, { tokens, touchedAt: this.#options.now() });
  }

  #giveUp(failure: string, error: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#queue = [];
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.onWarning(`${failure}; no prefixes are persisted until the next start: ${reason}`);
  }
}
