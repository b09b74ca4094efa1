/**
 * Runs go to nodes whose engines have the beginning of their prompt in the cache. This part names the beginnings, gives the names to
 * the engines of this process, and reports which of them their caches have.
 *
 * States: **new** (no names: prompts go anywhere) → `start` → **reporting** → `close`. After a report that failed, the next one is a whole one.
 */
import type { Engine, EngineStats, GenerationRequest } from '@gptj-cloud/engine';
import type { Database } from '../../store/db.ts';
import { type Polling, startPolling } from '../../store/polling.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { changeNodePrefixes, clearNodePrefixes } from './node-prefix-store.ts';
import { ensureNodeSecret } from './node-store.ts';
import { hashPrefixes } from './prefix-hashes.ts';

export interface PrefixAffinityDeps {
  readonly db: Database;
  readonly logger: Logger;
  /** False: nothing is named. */
  readonly isOn: boolean;
  /** The statistics of the engines of this process. */
  readonly stats: () => readonly Promise<EngineStats>[];
  /** Longest interval of its reports. Default half a second. */
  readonly maxEveryMs?: number | undefined;
}

export interface PrefixAffinity {
  readonly isOn: boolean;
  /** The names of the beginnings of a prompt; empty where it is short, and before `start`. */
  hashesOf(model: string, tenant: string, request: Pick<GenerationRequest, 'prompt' | 'config'>): readonly string[];
  /** The same engine, which gets the names with every request. `computesHere`: its cache is one of this process. */
  label(engine: Engine, computesHere: boolean): Engine;
  /** The node has its row. */
  start(nodeId: string): Promise<void>;
  close(): Promise<void>;
}

const REPORT_MS = 500;
/** Of one node. */
const MAX_REPORTED = 1_024;

export function createPrefixAffinity(deps: PrefixAffinityDeps): PrefixAffinity {
  const { db, logger, isOn, stats, maxEveryMs = REPORT_MS } = deps;
  let secret: string | null = null;
  let polling: Polling | null = null;
  /** As the store has them; null: not known. */
  let reported: ReadonlySet<string> | null = null;
  /** Of generations under way: their caches will have them. */
  const computing = new Set<readonly string[]>();

  const hashesOf: PrefixAffinity['hashesOf'] = (model, tenant, { prompt, config }) =>
    secret === null ? [] : hashPrefixes(secret, { model, tenant, prompt, adapters: config.lora });

  const held = async (): Promise<ReadonlySet<string>> => {
    const all = new Set([...computing].flat());
    for (const each of await Promise.allSettled(stats())) {
      // The cache of an engine that ended is empty.
      if (each.status === 'fulfilled') for (const label of each.value.prefixLabels) all.add(label);
    }
    return new Set([...all].slice(0, MAX_REPORTED));
  };
  const report = async (nodeId: string): Promise<void> => {
    const now = await held();
    const before = reported;
    reported = null;
    if (before === null) await clearNodePrefixes(db, nodeId);
    const added = [...now].filter((hash) => before?.has(hash) !== true);
    const removed = [...(before ?? [])].filter((hash) => !now.has(hash));
    await changeNodePrefixes(db, nodeId, { added, removed });
    reported = now;
  };
  return {
    isOn,
    hashesOf,
    label(engine, computesHere) {
      if (!isOn) return engine;
      const askStats = engine.stats?.bind(engine);
      return {
        get info() {
          return engine.info;
        },
        ...(askStats === undefined ? {} : { stats: askStats }),
        close: () => engine.close(),
        async *generate(request, signal) {
          const given = request.prefixLabels;
          const labels = given ?? hashesOf(engine.info.modelName, request.tenant ?? '', request);
          if (labels.length === 0) {
            yield* engine.generate(request, signal);
            return;
          }
          if (computesHere) computing.add(labels);
          try {
            yield* engine.generate({ ...request, prefixLabels: labels }, signal);
          } finally {
            computing.delete(labels);
          }
        },
      };
    },
    async start(nodeId) {
      if (!isOn) return;
      secret = await ensureNodeSecret(db);
      polling = startPolling(() => report(nodeId), {
        everyMs: Math.min(REPORT_MS, maxEveryMs),
        onError: (error) => logger.warn('this server could not report which prompts its cache has', { error }),
      });
    },
    async close() {
      await polling?.stop();
    },
  };
}
