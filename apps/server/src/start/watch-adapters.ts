/** Lets requests choose the adapters that the data folder has now: `gptj adapter add` and `rm` take effect while the server runs. */
import type { Engine } from '@gptj-cloud/engine';
import { listAdapters } from '@gptj-cloud/model-store';
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
  const { folder, engines, onChange, logger, everyMs = POLL_MS } = options;
  /** What each engine was given last, as a text. */
  const given = new WeakMap<Engine, string>();
  const refresh = async (): Promise<void> => {
    const adapters = await listAdapters(folder);
    const text = JSON.stringify(adapters.map(({ name, sha256 }) => [name, sha256]));
    let isChanged = false;
    for (const engine of engines()) {
      if (given.get(engine) === text) continue;
      const before = engine.info.adapters;
      await engine.setAdapters?.(adapters);
      given.set(engine, text);
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
