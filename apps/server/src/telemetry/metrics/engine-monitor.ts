/** What the engine does now and did in the last minutes: the source of `GET /v2/engine`, the metrics page and `/readyz`. */
import type { Engine, EngineStats } from '@gptj-cloud/engine';

export interface EngineMonitorDeps {
  readonly engine: Pick<Engine, 'stats'>;
  readonly clock: () => Date;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** One interval of the history. */
export interface EngineSample {
  /** Its end. */
  readonly at: Date;
  /** Final tokens of all generations. */
  readonly tokensPerSecond: number;
  /** Part of the time that evaluations took, from 0 to 1; null when the engine did not answer. */
  readonly busy: number | null;
  readonly active: number | null;
  readonly waiting: number | null;
}

export interface EngineStatus {
  /** Null when the engine does not answer, or has no statistics. */
  readonly stats: EngineStats | null;
  readonly isReady: boolean;
  /** When it became ready or unavailable, as far as this server noticed. */
  readonly since: Date;
  /** Why it is unavailable; null while it is ready. */
  readonly reason: string | null;
  /** Oldest first. */
  readonly history: readonly EngineSample[];
}

export interface EngineMonitor {
  /** The statistics, with one request to the engine for all who ask at the same time. Rejects when it does not answer. */
  stats(): Promise<EngineStats>;
  /** Rejects when the engine does not answer; an engine without statistics passes. */
  check(): Promise<void>;
  status(): Promise<EngineStatus>;
  /** Add the interval since the last sample to the history. */
  sample(): Promise<void>;
  /** Count final tokens. */
  countTokens(count: number): void;
}

/** Time between two samples. */
export const ENGINE_SAMPLE_MS = 5_000;
/** Five minutes. */
const MAX_SAMPLES = 60;

export function createEngineMonitor({ engine, clock, now }: EngineMonitorDeps): EngineMonitor {
  let asked: Promise<EngineStats> | null = null;
  let since = clock();
  let reason: string | null = null;
  const history: EngineSample[] = [];
  let tokens = 0;
  let sampledAt = now();
  /** Of the last sample; null when the engine did not answer then. */
  let busyMs: number | null = null;

  const observe = (next: string | null): void => {
    if ((next === null) !== (reason === null)) since = clock();
    reason = next;
  };
  const ask = async (): Promise<EngineStats> => {
    if (engine.stats === undefined) throw new TypeError('this engine has no statistics');
    try {
      const stats = await engine.stats();
      observe(null);
      return stats;
    } catch (error) {
      observe(error instanceof Error ? error.message : String(error));
      throw error;
    }
  };
  const stats = async (): Promise<EngineStats> => {
    asked ??= ask().finally(() => {
      asked = null;
    });
    return await asked;
  };
  const statsOrNull = async (): Promise<EngineStats | null> => {
    try {
      return await stats();
    } catch {
      // `observe` has stored the reason.
      return null;
    }
  };
  return {
    stats,
    async check() {
      if (engine.stats !== undefined) await stats();
    },
    async status() {
      const found = await statsOrNull();
      return { stats: found, isReady: reason === null, since, reason, history: [...history] };
    },
    async sample() {
      const found = await statsOrNull();
      const at = now();
      const elapsedMs = at - sampledAt;
      if (elapsedMs <= 0) return;
      // The counts begin anew with every process of the engine.
      const worked = found === null || busyMs === null || found.busyMs < busyMs ? null : found.busyMs - busyMs;
      history.push({
        at: clock(),
        tokensPerSecond: (tokens * 1000) / elapsedMs,
        busy: worked === null ? null : Math.min(1, worked / elapsedMs),
        active: found?.active ?? null,
        waiting: found?.waiting ?? null,
      });
      if (history.length > MAX_SAMPLES) history.shift();
      tokens = 0;
      sampledAt = at;
      busyMs = found?.busyMs ?? null;
    },
    countTokens(count) {
      tokens += count;
    },
  };
}
