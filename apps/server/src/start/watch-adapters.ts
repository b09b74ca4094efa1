/** Lets requests choose the adapters that the data folder has now: `gptj adapter add` and `rm` take effect while the server runs. */
import { adaptersFor, type Engine, gigabytes } from '@gptj-cloud/engine';
import { listAdapters, type StoredAdapter } from '@gptj-cloud/model-store';
import { startPolling } from '../store/polling.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface WatchAdaptersOptions {
  /** The adapters of the data folder. */
  readonly folder: string;
  /** Of the models that are served now. */
  readonly engines: () => readonly Engine[];
  /** Called when an engine offers other adapters than before. */
  readonly onChange: () => void;
  readonly logger: Logger;
  /** Memory that adapters may take now; infinite: it is not checked. */
  readonly freeBytes: () => number;
  /** Default 2 s. */
  readonly everyMs?: number;
}

export interface AdapterWatch {
  /** Read the folder now. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

const POLL_MS = 2_000;

/** Watch the folder, which may not exist yet, until it is closed. */
export function watchAdapters(options: WatchAdaptersOptions): AdapterWatch {
  const { folder, engines, onChange, logger, freeBytes, everyMs = POLL_MS } = options;
  /** What each engine was given last. */
  const given = new WeakMap<Engine, readonly StoredAdapter[]>();
  /** Adapters that memory cannot hold, of each engine: they are logged once. */
  const refused = new WeakMap<Engine, ReadonlySet<string>>();

  /** Those that the engine has, and of the others as many as `free` holds. */
  const choose = (engine: Engine, adapters: readonly StoredAdapter[], free: number): readonly StoredAdapter[] => {
    const { adapters: opened, config, modelName: model } = engine.info;
    const last = given.get(engine);
    const has = ({ name, sha256 }: StoredAdapter): boolean =>
      last === undefined ? opened.includes(name) : last.some((each) => each.name === name && each.sha256 === sha256);
    const fitting = new Set<unknown>(adaptersFor(config, adapters));
    const before = refused.get(engine);
    const tooLarge = new Set<string>();
    let left = free;
    const chosen = adapters.filter((adapter) => {
      const { name, sha256, sizeBytes } = adapter;
      if (has(adapter) || !fitting.has(adapter)) return true;
      if (sizeBytes <= left) {
        left -= sizeBytes;
        return true;
      }
      tooLarge.add(sha256);
      if (before?.has(sha256) !== true) {
        const reason = `expected ${gigabytes(sizeBytes)} of free memory, got ${gigabytes(left)}; ENGINE_MEMORY_CHECK=off loads it all the same`;
        logger.warn('an adapter is not served: memory cannot hold it', { model, adapter: name, reason });
      }
      return false;
    });
    refused.set(engine, tooLarge);
    return chosen;
  };
  const refresh = async (): Promise<void> => {
    const adapters = await listAdapters(folder);
    let isChanged = false;
    for (const engine of engines()) {
      // Read again for each: the one before has taken its part.
      const chosen = choose(engine, adapters, freeBytes());
      if (textOf(given.get(engine) ?? null) === textOf(chosen)) continue;
      const before = engine.info.adapters;
      await engine.setAdapters?.(chosen);
      given.set(engine, chosen);
      const { adapters: names, modelName: model } = engine.info;
      if (names.join() === before.join()) continue;
      isChanged = true;
      logger.info('the adapters of a model have changed', { model, adapters: names.join(', ') });
    }
    if (isChanged) onChange();
  };
  const polling = startPolling(refresh, {
    everyMs,
    onError: (error) => logger.warn('the adapters of the data folder could not be read', { error }),
  });
  return { refresh, close: () => polling.stop() };
}

function textOf(adapters: readonly StoredAdapter[] | null): string {
  return JSON.stringify(adapters?.map(({ name, sha256 }) => [name, sha256]) ?? null);
}
