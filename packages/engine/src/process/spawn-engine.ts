/**
 * An engine in a process of its own: the `Engine` interface over messages, and a supervisor that restarts the process.
 *
 * States: **opening** (a child loads the model) → **ready** → (the child exits) → **restarting** (a delay, then another
 * child loads the model) → **ready** … → **closed**. The delay doubles with every failed attempt, up to half a minute. An
 * error of the first opening is thrown to the caller; later attempts are repeated.
 *
 * Invariants
 * - `attempt` is the newest attempt to get a child: pending while opening or restarting, fulfilled while ready.
 * - A generation belongs to the child it was sent to, and fails when that child exits. One that another generation
 *   interrupted before its first token is sent to the next child instead.
 * - A generation that arrives while no child is ready waits for `attempt` and fails with `engine_failed` when it fails.
 * - After `close()` no child is started, and the promise that every `close()` returns resolves when the last has exited.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ModelError } from '@gptj-cloud/model';
import type { Engine, EngineInfo, GenerationEvent, GenerationRequest } from '../engine.ts';
import type { OpenModelListener, OpenModelOptions } from '../open-model.ts';
import { type EngineChild, startEngineChild } from './engine-child.ts';
import { ExclusiveGate } from './exclusive-gate.ts';

export interface SpawnEngineOptions extends OpenModelOptions, OpenModelListener {
  /** Called with the reason when the engine process has exited and is about to be restarted. */
  readonly onRestart?: (reason: string) => void;
  /** Called with warnings for the operator that do not affect generations. */
  readonly onWarning?: (message: string) => void;
  /** Delay before the first restart; doubles with every failed attempt. Default 250 ms. */
  readonly restartDelayMs?: number;
  /**
   * Time limit of `stats()`. Default 800 ms: readiness depends on it, and probes commonly time out after one second.
   */
  readonly statsTimeoutMs?: number;
  /**
   * Longest silence of the process, or of its main thread during one step of a generation: it is then killed and
   * restarted, and a generation that stalled it fails with `generation_stalled`. Default 10 s.
   */
  readonly stallMs?: number;
  /** Longest evaluation of the model, after which the process is killed and restarted. Default 10 min. */
  readonly evaluationMs?: number;
  /** Ends the first opening, also while the process loads the model. */
  readonly signal?: AbortSignal;
  /** Main module of the process, for tests. Default: `engine-main.js`, which opens the model with `openModel`. */
  readonly module?: URL;
}

const ENGINE_MAIN = new URL('./engine-main.js', import.meta.url);
const MAX_RESTART_DELAY_MS = 30_000;
/** A process that has not exited this long after it was asked to is killed. */
const CLOSE_GRACE_MS = 5_000;

/** The engine, with the state of its process for a supervisor. */
export interface SpawnedEngine extends Engine {
  /** Process id of the ready child; null while there is none. */
  readonly pid: number | null;
}

/** Start the engine's process and load the model. Throws the errors of `openModel`. */
export async function spawnEngine(options: SpawnEngineOptions): Promise<SpawnedEngine> {
  const {
    onRestart,
    onWarning = () => {},
    onMemory,
    onProgress,
    restartDelayMs = 250,
    statsTimeoutMs = 800,
    ...rest
  } = options;
  const { stallMs = 10_000, evaluationMs = 600_000, module = ENGINE_MAIN, signal, ...opening } = rest;
  /** With the adapters of now. */
  let open: OpenModelOptions = opening;
  /** The process that is loading or ready. */
  let running: EngineChild | null = null;
  /** The process that is ready. */
  let child: EngineChild | null = null;
  /** Ends the delay before a restart. */
  const closed = new AbortController();
  let closing: Promise<void> | null = null;
  /** Of the first opening, with the adapters of now. */
  let info: EngineInfo | null = null;

  const start = async (): Promise<EngineChild> => {
    const started = startEngineChild(
      { open: info === null ? open : sameAgain(open, info), limits: { stallMs, evaluationMs }, module },
      {
        onWarning,
        ...(info === null && onMemory !== undefined ? { onMemory } : {}),
        ...(info === null && onProgress !== undefined ? { onProgress } : {}),
        onExit(reason) {
          if (running === started) running = null;
          if (child !== started) return;
          child = null;
          if (closing !== null) return;
          onRestart?.(reason);
          restart(0);
        },
      },
    );
    running = started;
    const { adapters } = open;
    let ready = await started.ready;
    // They may have changed while it loaded.
    if (open.adapters !== adapters) ready = await started.setAdapters(open.adapters ?? []);
    if (info !== null) info = { ...info, adapters: ready.adapters };
    child = started;
    return started;
  };

  const restart = (failedAttempts: number): void => {
    const delayMs = Math.min(restartDelayMs * 2 ** failedAttempts, MAX_RESTART_DELAY_MS);
    attempt = delay(delayMs, undefined, { signal: closed.signal }).then(start);
    attempt.catch((error: Error) => {
      if (closing !== null) return;
      onRestart?.(`could not be restarted: ${error.message}`);
      restart(failedAttempts + 1);
    });
  };

  const readyChild = async (): Promise<EngineChild> => {
    if (closing !== null) throw closedError();
    try {
      return await attempt;
    } catch (cause) {
      if (closing !== null) throw closedError();
      throw new ModelError('engine_failed', `the engine process could not be restarted: ${(cause as Error).message}`, {
        cause,
      });
    }
  };

  /** Generate, on the next child when one was interrupted before there were tokens. */
  async function* repeat(request: GenerationRequest, signal?: AbortSignal): AsyncGenerator<GenerationEvent> {
    let hasStarted = false;
    for (;;) {
      let mayRepeat = true;
      try {
        for await (const event of (await readyChild()).generate(request, signal)) {
          if (event.type === 'started' && hasStarted) continue;
          if (event.type === 'started') hasStarted = true;
          else if (event.type !== 'stalling') mayRepeat = false;
          yield event;
        }
        return;
      } catch (error) {
        if (!mayRepeat || !isInterruption(error)) throw error;
      }
    }
  }

  const close = async (): Promise<void> => {
    closed.abort();
    await running?.close(CLOSE_GRACE_MS);
  };

  const gate = new ExclusiveGate();
  let attempt = start();
  const stop = (): void => {
    closing ??= close();
  };
  signal?.addEventListener('abort', stop, { once: true });
  const opened = await attempt
    .then((started) => started.ready)
    .finally(() => signal?.removeEventListener('abort', stop));
  if (signal?.aborted) {
    // The engine was ready before it heard of the abort.
    await closing;
    throw new ModelError('engine_failed', 'the opening of the engine was aborted');
  }
  info = opened;
  return {
    get info() {
      return info ?? opened;
    },
    async setAdapters(files) {
      if (closing !== null) throw closedError();
      open = { ...open, adapters: files };
      // A process that is loading takes them when it is ready, and so does the one after a process that exits.
      const { adapters } = (await child?.setAdapters(files).catch(unlessExited)) ?? {};
      const before = info ?? opened;
      if (adapters !== undefined && adapters.join() !== before.adapters.join()) info = { ...before, adapters };
    },
    get pid() {
      return child?.pid ?? null;
    },
    async *generate(request, signal) {
      const leave = await gate.enter(request.alone ?? false, signal).catch((cause: unknown) => {
        throw new ModelError('aborted', 'the generation was cancelled before it began', { cause });
      });
      try {
        yield* repeat(request, signal);
      } finally {
        leave();
      }
    },
    async stats() {
      if (closing !== null) throw closedError();
      if (child === null) throw new ModelError('engine_failed', 'the engine process is being restarted');
      return await child.stats(statsTimeoutMs);
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** A restarted process serves the same requests: with the same cache and draft model, whatever memory is free meanwhile. */
function sameAgain({ draftPath, ...open }: OpenModelOptions, info: EngineInfo): OpenModelOptions {
  const hasDraft = draftPath !== undefined && info.draftModelName !== null;
  return { ...open, ...(hasDraft ? { draftPath } : {}), cacheCells: info.cacheCells, checksMemory: false };
}

function unlessExited(error: unknown): null {
  if (error instanceof ModelError && error.code === 'engine_failed') return null;
  throw error;
}

function isInterruption(error: unknown): boolean {
  return error instanceof ModelError && error.code === 'engine_interrupted';
}

function closedError(): ModelError {
  return new ModelError('closed', 'the engine is closed');
}
