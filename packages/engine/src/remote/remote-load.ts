import type { GenerationEvent } from '../engine.ts';
import { type EngineStats, IDLE_STATS } from '../engine-stats.ts';

/** What this process has asked a server for, and what the server says of its own load. */
export class RemoteLoad {
  readonly #cacheCells: number;
  /** Since when each generation waits; null: it is active. */
  readonly #generations = new Map<object, number | null>();
  #evaluations = 0;
  #tokens = 0;
  #busyMs = 0;
  #onIdle: (() => void)[] = [];

  constructor(cacheCells: number) {
    this.#cacheCells = cacheCells;
  }

  /** A generation arrives. Call what it returns, once or more often, when it has ended. */
  enter(): () => void {
    const leave = (): void => {
      this.#generations.delete(leave);
      if (this.#generations.size > 0) return;
      for (const resolve of this.#onIdle) resolve();
      this.#onIdle = [];
    };
    this.#generations.set(leave, performance.now());
    return leave;
  }

  /** An event of the generation that `enter` gave `leave` for. */
  record(event: GenerationEvent, leave: () => void): void {
    if (event.type === 'started') this.#generations.set(leave, null);
    if (event.type === 'tokens') {
      this.#evaluations++;
      this.#tokens += event.tokens.length;
    }
    if (event.type === 'finished') {
      this.#tokens += event.usage.promptTokens - event.usage.cachedTokens;
      this.#busyMs += event.usage.computeMs;
    }
  }

  get active(): number {
    return [...this.#generations.values()].filter((since) => since === null).length;
  }

  /** @param metrics the server's, in Prometheus' text form; null: it has none */
  stats(metrics: string | null): EngineStats {
    const waiting = [...this.#generations.values()].filter((since) => since !== null);
    const read = (name: string): number | null => (metrics === null ? null : readGauge(metrics, name));
    const usage = read('vllm:kv_cache_usage_perc') ?? read('vllm:gpu_cache_usage_perc') ?? 0;
    return {
      ...IDLE_STATS,
      evaluations: this.#evaluations,
      evaluatedTokens: this.#tokens,
      busyMs: this.#busyMs,
      batchTokens: IDLE_STATS.batchTokens.map((_, at) => (at === 0 ? this.#evaluations : 0)),
      // Other programs may use the server, too.
      active: read('vllm:num_requests_running') ?? this.active,
      waiting: read('vllm:num_requests_waiting') ?? waiting.length,
      oldestWaitingMs: waiting.length === 0 ? 0 : performance.now() - Math.min(...waiting),
      cacheCells: this.#cacheCells,
      freeCells: Math.max(0, Math.round(this.#cacheCells * (1 - Math.min(1, usage)))),
    };
  }

  /** Resolves when no generation is under way. */
  async idle(): Promise<void> {
    if (this.#generations.size > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }
}

/** Positions of the server's KV cache, from vLLM's metrics; null: they do not say. */
export function readCacheCells(metrics: string | null): number | null {
  const labels = /^vllm:cache_config_info\{(.*)\}/m.exec(metrics ?? '')?.[1];
  if (labels === undefined) return null;
  const label = (name: string): number =>
    Number(new RegExp(`(?:^|,)${name}="(\\d{1,12})"`).exec(labels)?.[1] ?? Number.NaN);
  const cells = label('block_size') * label('num_gpu_blocks');
  return Number.isSafeInteger(cells) && cells > 0 ? cells : null;
}

/** The sum of a gauge over its labels; null: there is none. */
function readGauge(text: string, name: string): number | null {
  let sum: number | null = null;
  for (const line of text.split('\n')) {
    if (!line.startsWith(name) || !/^[{ ]/.test(line.slice(name.length))) continue;
    const value = Number(line.slice(line.lastIndexOf(' ') + 1));
    if (Number.isFinite(value)) sum = (sum ?? 0) + Math.max(0, value);
  }
  return sum;
}
