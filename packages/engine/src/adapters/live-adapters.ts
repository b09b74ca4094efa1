/**
 * The adapters that requests to an engine may choose, which change while it runs.
 *
 * Below the engine an adapter has an id (`adapterId`) that names its bytes: a name that is used again for other bytes shares
 * no prefix with the earlier one, and generations keep the adapters with which they began.
 *
 * Invariants
 * - Every name has a loaded adapter.
 * - An adapter is unloaded when it has no name and no generation, and then no sequence of the model uses it.
 * - Adapters are loaded and unloaded between evaluations, one change at a time.
 */
import { type AdapterUse, type GptjConfig, ModelError } from '@gptj-cloud/model';
import type { Mutex } from '../scheduler/mutex.ts';
import { type AdapterFile, adapterId, adaptersFor } from './adapter-file.ts';
import { unknownAdapter } from './resolve-adapters.ts';

/** The adapters of an open model. Call it between evaluations. */
export interface AdapterShelf {
  /** Those that are loaded at first. */
  readonly first: readonly AdapterFile[];
  /** Load another. The reasons why it is left out, if it is. Throws `ModelError`. */
  load(file: AdapterFile): Promise<readonly string[]>;
  /** No sequence uses it. */
  unload(id: string): void;
}

export interface LiveAdaptersOptions {
  readonly shelf: AdapterShelf;
  readonly config: GptjConfig;
  /** Held during an evaluation. */
  readonly mutex: Mutex;
  /** Release what is cached of sequences with an adapter, which no generation uses. */
  readonly forget: (id: string) => void;
  readonly onWarning: (message: string) => void;
}

/** The adapters of one generation. */
export interface HeldAdapters {
  /** By id. */
  readonly uses: readonly AdapterUse[];
  /** Call it once the generation has released its sequences. Idempotent. */
  release(): void;
}

export class LiveAdapters {
  readonly #options: LiveAdaptersOptions;
  /** Ids by name. */
  #ids: ReadonlyMap<string, string>;
  readonly #loaded: Set<string>;
  /** Generations by id. */
  readonly #generations = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: LiveAdaptersOptions) {
    const { first } = options.shelf;
    this.#options = options;
    this.#ids = new Map(first.map((file) => [file.name, adapterId(file)]));
    this.#loaded = new Set(this.#ids.values());
  }

  get names(): readonly string[] {
    return [...this.#ids.keys()];
  }

  /** Keep the adapters of a request loaded. Throws `unknown_adapter`. */
  hold(lora: readonly AdapterUse[]): HeldAdapters {
    const uses = lora.map(({ name, scale }) => {
      const id = this.#ids.get(name);
      if (id === undefined) throw unknownAdapter(name, this.names);
      return { name: id, scale };
    });
    for (const { name: id } of uses) this.#generations.set(id, (this.#generations.get(id) ?? 0) + 1);
    let isHeld = true;
    return {
      uses,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        for (const { name: id } of uses) {
          const left = this.#generations.get(id)! - 1;
          if (left > 0) this.#generations.set(id, left);
          else this.#generations.delete(id);
        }
        if (uses.some(({ name: id }) => this.#isUnused(id))) void this.#inTurn(() => this.#unloadUnused());
      },
    };
  }

  /** Let requests choose these adapters alone. One that cannot be loaded is left out, with a warning. */
  change(files: readonly AdapterFile[]): Promise<void> {
    return this.#inTurn(() => this.#change(files));
  }

  async #change(files: readonly AdapterFile[]): Promise<void> {
    const { config, onWarning } = this.#options;
    const ids = new Map<string, string>();
    for (const file of adaptersFor(config, files)) {
      const id = adapterId(file);
      const warnings = this.#loaded.has(id) ? [] : await this.#load(file);
      for (const warning of warnings) onWarning(warning);
      if (warnings.length > 0) continue;
      this.#loaded.add(id);
      ids.set(file.name, id);
    }
    this.#ids = ids;
    await this.#unloadUnused();
  }

  async #load(file: AdapterFile): Promise<readonly string[]> {
    const { mutex, shelf } = this.#options;
    try {
      return await mutex.run(() => shelf.load(file));
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      return [`adapter ${file.name} is not loaded: ${error.message}`];
    }
  }

  async #unloadUnused(): Promise<void> {
    const { mutex, shelf, forget } = this.#options;
    for (const id of [...this.#loaded]) {
      await mutex.run(async () => {
        if (!this.#isUnused(id)) return;
        forget(id);
        shelf.unload(id);
        this.#loaded.delete(id);
      });
    }
  }

  #isUnused(id: string): boolean {
    return this.#loaded.has(id) && !this.#generations.has(id) && ![...this.#ids.values()].includes(id);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
