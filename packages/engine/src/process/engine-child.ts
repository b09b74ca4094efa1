/**
 * One engine process and the requests sent to it.
 *
 * States: **loading** (the process opens the model) → **ready** → **exited**. A process that cannot open the model goes
 * from loading to exited, and `ready` rejects with the reason.
 *
 * Invariants
 * - Every request ends exactly once: with its response, with its error, or with `engine_failed` when the process exits.
 * - `onExit` is called exactly once, after all requests have failed, whatever the state was.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ModelError } from '@gptj-cloud/model';
import type { EngineInfo, GenerationEvent, GenerationRequest } from '../engine.ts';
import type { EngineStats } from '../engine-stats.ts';
import { EventQueue } from '../event-queue.ts';
import type { OpenModelOptions } from '../open-model.ts';
import { deferred } from './deferred.ts';
import { type FromEngine, fromWireError, type ToEngine } from './messages.ts';

export interface EngineChildListener {
  /** The process reports a warning for the operator that does not affect generations. */
  onWarning(message: string): void;
  /** The process has exited; `reason` is its exit status or signal. Called synchronously, before new requests arrive. */
  onExit(reason: string): void;
}

export interface EngineChild {
  /** Process id; null when the process could not be created. */
  readonly pid: number | null;
  /** Resolves when the model is open. Rejects with the error of `openModel`, or with `engine_failed`. */
  readonly ready: Promise<EngineInfo>;
  /** Throws `aborted`, `engine_failed` and the errors of the engine. Leaving the iteration early cancels the request. */
  generate(request: GenerationRequest, signal?: AbortSignal): AsyncGenerator<GenerationEvent, void, undefined>;
  /** Rejects with `engine_failed` when no response arrives within `timeoutMs`. */
  stats(timeoutMs: number): Promise<EngineStats>;
  /**
   * Ask the process to exit and kill it after `graceMs`; one that is still loading is killed at once. Resolves when it
   * has exited. Idempotent.
   */
  close(graceMs: number): Promise<void>;
}

interface StatsRequest {
  resolve(stats: EngineStats): void;
  reject(error: ModelError): void;
}

/** Create a process and have it open the model. */
export function startEngineChild(options: OpenModelOptions, listener: EngineChildListener): EngineChild {
  const child = fork(fileURLToPath(new URL('./engine-main.js', import.meta.url)), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // A failed assertion in llama.cpp would start a debugger otherwise; its message on stderr is enough.
    env: { ...process.env, GGML_NO_BACKTRACE: '1' },
  });
  const generations = new Map<number, EventQueue<GenerationEvent>>();
  const statsRequests = new Map<number, StatsRequest>();
  const ready = deferred<EngineInfo>();
  const exited = deferred<void>();
  let isLoading = true;
  let exitReason: string | null = null;
  let nextId = 0;
  // A caller that closes the process while it loads does not wait for `ready`.
  ready.promise.catch(() => {});

  const assertRunning = (): void => {
    if (exitReason !== null) throw new ModelError('engine_failed', `the engine process has exited (${exitReason})`);
  };
  const onExit = (reason: string): void => {
    if (exitReason !== null) return;
    exitReason = reason;
    ready.reject(new ModelError('engine_failed', `the engine process exited while it loaded the model (${reason})`));
    for (const queue of generations.values()) {
      queue.fail(new ModelError('engine_failed', `the engine process exited during this generation (${reason})`));
    }
    for (const { reject } of statsRequests.values()) {
      reject(new ModelError('engine_failed', `the engine process exited (${reason})`));
    }
    generations.clear();
    statsRequests.clear();
    exited.resolve();
    listener.onExit(reason);
  };
  const onMessage = (message: FromEngine): void => {
    switch (message.kind) {
      case 'ready':
        isLoading = false;
        ready.resolve(message.info);
        break;
      case 'unable':
        ready.reject(fromWireError(message.error));
        child.kill('SIGKILL');
        break;
      case 'warning':
        listener.onWarning(message.message);
        break;
      case 'events':
        for (const [id, event] of message.events) {
          const queue = generations.get(id);
          queue?.push(event);
          if (event.type !== 'finished') continue;
          generations.delete(id);
          queue?.end();
        }
        break;
      case 'failed':
        generations.get(message.id)?.fail(fromWireError(message.error));
        generations.delete(message.id);
        break;
      case 'stats':
        statsRequests.get(message.id)?.resolve(message.stats);
        statsRequests.delete(message.id);
        break;
      default:
        message satisfies never;
    }
  };
  child.on('message', onMessage);
  child.on('exit', (code, signal) => onExit(signal === null ? `exit status ${code}` : `signal ${signal}`));
  child.on('error', (cause) => {
    // Node emits no 'exit' for a process that it could not create.
    if (child.pid === undefined) onExit(`could not be created: ${cause.message}`);
  });
  post(child, { kind: 'open', options });

  return {
    pid: child.pid ?? null,
    ready: ready.promise,
    async *generate(request, signal) {
      assertRunning();
      if (signal?.aborted) throw new ModelError('aborted', 'the generation was cancelled before it began');
      const id = nextId++;
      const queue = new EventQueue<GenerationEvent>();
      const cancel = (): void => {
        if (generations.has(id)) post(child, { kind: 'cancel', id });
      };
      generations.set(id, queue);
      signal?.addEventListener('abort', cancel, { once: true });
      post(child, { kind: 'generate', id, request });
      try {
        yield* queue;
      } finally {
        signal?.removeEventListener('abort', cancel);
        cancel();
        generations.delete(id);
      }
    },
    async stats(timeoutMs) {
      assertRunning();
      const id = nextId++;
      const { promise, resolve, reject } = deferred<EngineStats>();
      statsRequests.set(id, { resolve, reject });
      const timer = setTimeout(() => {
        const message = `expected the engine process to answer within ${timeoutMs} ms: it is busy or stopped`;
        reject(new ModelError('engine_failed', message));
      }, timeoutMs);
      post(child, { kind: 'stats', id });
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        statsRequests.delete(id);
      }
    },
    async close(graceMs) {
      if (isLoading) child.kill('SIGKILL');
      else post(child, { kind: 'close' });
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited.promise;
      clearTimeout(timer);
    },
  };
}

function post(child: ChildProcess, message: ToEngine): void {
  // A process that has just exited cannot receive messages; its exit fails the requests.
  if (child.connected) child.send(message, () => {});
}
