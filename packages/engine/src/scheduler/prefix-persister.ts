/**
 * Which prefixes outlive the process: those that a second request went on from. What nobody has asked for twice is not
 * worth the disk: a prompt of a 6B model is half a megabyte for each token.
 *
 * They are copied out of the model between two evaluations, which takes about as long as one of them, and written while
 * it goes on.
 *
 * Invariant: `#kept` knows every prefix that is stored or being written, and none of them lies within
 * `MIN_PERSISTED_TOKENS` of another.
 */
import { type LanguageModel, ModelError, type TokenId } from '@gptj-cloud/model';
import type { PrefixStore } from '../prefix-store/prefix-store.ts';
import type { PrefixCache } from './prefix-cache.ts';
import { PrefixTree, sharedLength } from './prefix-tree.ts';

export interface PrefixPersisterOptions {
  readonly model: LanguageModel;
  readonly prefixes: PrefixCache;
  readonly store: PrefixStore;
  /** Something could not be read or written; generations go on without it. */
  readonly onWarning: (message: string) => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** A prefix, or what is new of one, shorter than this is computed again: on a 6B model that takes a second or two. */
const MIN_PERSISTED_TOKENS = 64;
/** Prefixes that wait to be written. */
const MAX_QUEUED = 8;
/** How often a use is noted on disk. */
const TOUCH_EVERY_MS = 60_000;
/** For what is not written yet when the model is to close. */
const CLOSE_MS = 3_000;

interface Kept {
  readonly tokens: readonly TokenId[];
  touchedAt: number;
}

export class PrefixPersister {
  readonly #options: PrefixPersisterOptions;
  readonly #kept = new PrefixTree<Kept>();
  #due: (readonly TokenId[])[] = [];
  #writing: Promise<void> | null = null;
  /** The store failed: nothing more is written, for it would fail every time. */
  #broken = false;

  constructor(options: PrefixPersisterOptions) {
    this.#options = options;
  }

  /** Fill the cache with what is stored, as much as there is room for. Never throws. Call it while the model is idle. */
  async restore(): Promise<void> {
    const { model, prefixes, store } = this.#options;
    try {
      const stored = await store.list();
      for (const tokens of stored) this.#remember(tokens);
      let room = model.freeCells;
      let places = prefixes.maxEntries;
      const chosen = stored.filter(({ length }) => {
        if (length > room || length > model.config.contextLength || places === 0) return false;
        room -= length;
        places--;
        return true;
      });
      // The last one in is the last one to go.
      for (const tokens of chosen.reverse()) await this.#restoreOne(tokens);
    } catch (error) {
      this.#giveUp('stored prefixes could not be read', error);
    }
  }

  /** A generation went on from these tokens, which the cache has. */
  recordReuse(tokens: readonly TokenId[]): void {
    if (this.#broken || tokens.length < MIN_PERSISTED_TOKENS) return;
    const { now } = this.#options;
    const found = this.#kept.longest(tokens);
    if (found !== null && tokens.length - found.length < MIN_PERSISTED_TOKENS) {
      if (now() - found.value.touchedAt < TOUCH_EVERY_MS) return;
      found.value.touchedAt = now();
      void this.#touch(found.value);
      return;
    }
    if (this.#due.some((due) => tokens.length - sharedLength(due, tokens, 0) < MIN_PERSISTED_TOKENS)) return;
    if (this.#due.length === MAX_QUEUED) this.#due.shift();
    this.#due.push(tokens);
  }

  /**
   * Store one that is due, unless one is being written. Call it between evaluations.
   *
   * @param onWritten the next one can be stored
   */
  persistNext(onWritten: () => void): void {
    if (this.#writing !== null) return;
    const next = this.#takeDue();
    if (next === null) return;
    this.#writing = this.#write(next.tokens, next.bytes).finally(() => {
      this.#writing = null;
      onWritten();
    });
  }

  /** Write what is due, as much as can be done in a few seconds. Call it when the model is idle. */
  async close(): Promise<void> {
    const { now } = this.#options;
    const startedAt = now();
    await this.#writing;
    while (now() - startedAt < CLOSE_MS) {
      const next = this.#takeDue();
      if (next === null) return;
      await this.#write(next.tokens, next.bytes);
    }
  }

  async #touch({ tokens }: Kept): Promise<void> {
    try {
      // One that had to make room for others is stored again when it is next used.
      if (!(await this.#options.store.touch(tokens))) this.#kept.delete(tokens);
    } catch (error) {
      this.#giveUp('the use of a prefix could not be noted', error);
    }
  }

  async #restoreOne(tokens: readonly TokenId[]): Promise<void> {
    const { model, prefixes, store, onWarning } = this.#options;
    const bytes = await store.read(tokens);
    if (bytes === null) {
      this.#kept.delete(tokens);
      onWarning('a stored prefix is damaged or gone, and is computed anew');
      return;
    }
    try {
      const sequence = model.restore(bytes, tokens.length);
      prefixes.put(tokens, sequence);
      model.release(sequence);
    } catch (error) {
      if (!(error instanceof ModelError && error.code === 'snapshot_invalid')) throw error;
      this.#kept.delete(tokens);
      await store.remove(tokens);
      onWarning(`a stored prefix could not be restored, and is computed anew: ${error.message}`);
    }
  }

  /** The next one that the cache still has. */
  #takeDue(): { readonly tokens: readonly TokenId[]; readonly bytes: Uint8Array } | null {
    const { model, prefixes } = this.#options;
    for (let tokens = this.#due.shift(); tokens !== undefined; tokens = this.#due.shift()) {
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
    const found = this.#kept.longest(tokens);
    // From now on, that it is not asked for twice; also one that is too large, for it will always be.
    this.#remember(tokens);
    try {
      if (!(await store.write(tokens, bytes))) {
        this.#options.onWarning(`a prefix of ${bytes.byteLength} bytes is larger than all that may be kept on disk`);
      }
      // What the new one continues is answered for by it.
      if (found !== null && found.length === found.value.tokens.length) {
        this.#kept.delete(found.value.tokens);
        await store.remove(found.value.tokens);
      }
    } catch (error) {
      this.#giveUp('a prefix could not be stored', error);
    }
  }

  #remember(tokens: readonly TokenId[]): void {
    this.#kept.set(tokens, { tokens, touchedAt: this.#options.now() });
  }

  #giveUp(what: string, error: unknown): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#due = [];
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.onWarning(`${what}; prefixes are no longer kept on disk until the next start: ${reason}`);
  }
}
