/**
 * One engine process and the requests sent to it.
 *
 * States: **loading** (the process opens the model) → **ready** → **exited**. A process that cannot open the model goes
 * from loading to exited, and `ready` rejects with the reason.
 *
 * Invariants
 * - Every request ends exactly once: with its response, with its error, or with the process: `generation_stalled` for the
 *   generation whose step did not return, `engine_interrupted` for those beside it; when the cause is not known,
 *   `engine_failed` for one that was alone, `engine_lost` for several.
 * - A cancelled generation ends within `CANCEL_ANSWER_MS`, whatever the process does.
 * - `onExit` is called exactly once, after all requests have failed, whatever the state was.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ModelError } from '@gptj-cloud/model';
import type { AdapterFile } from '../adapters/adapter-file.ts';
import type { EngineInfo, GenerationEvent, GenerationRequest } from '../engine.ts';
import type { EngineStats } from '../engine-stats.ts';
import { EventQueue } from '../event-queue.ts';
import type { OpenModelListener, OpenModelOptions } from '../open-model.ts';
import { deferred } from './deferred.ts';
import { createEventJoiner, type EventJoiner } from './event-parts.ts';
import { createConfigPacker } from './large-values.ts';
import { type FromEngine, fromWireError, type ToEngine } from './messages.ts';
import { WATCH_FD } from './signs-of-life.ts';
import { type Stall, StallDetector, type StallLimits } from './stall-detector.ts';
import { watchChild } from './watch-child.ts';

export interface EngineChildListener extends OpenModelListener {
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
  /** See `Engine`. Resolves with what the engine then offers; rejects with `engine_failed` when the process exits. */
  setAdapters(files: readonly AdapterFile[]): Promise<EngineInfo>;
  /**
   * Ask the process to exit and kill it after `graceMs`; one that is still loading is killed at once. Resolves when it
   * has exited. Idempotent.
   */
  close(graceMs: number): Promise<void>;
}

/** A request that one message answers. */
interface Asked<Answer> {
  resolve(answer: Answer): void;
  reject(error: ModelError): void;
}

export interface EngineChildOptions {
  readonly open: OpenModelOptions;
  readonly limits: StallLimits;
  /** Main module of the process. */
  readonly module: URL;
}

/** A generation sent to the process. */
interface Sent {
  readonly queue: EventQueue<GenerationEvent>;
  readonly joiner: EventJoiner;
  isCancelled: boolean;
}

/** A caller that cancels does not wait longer for the process to confirm it. */
const CANCEL_ANSWER_MS = 800;

/** Create a process and have it open the model. */
export function startEngineChild(options: EngineChildOptions, listener: EngineChildListener): EngineChild {
  const child = fork(fileURLToPath(options.module), {
    serialization: 'advanced',
    // The last one is `WATCH_FD`.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'],
    // A failed assertion in llama.cpp would start a debugger otherwise; its message on stderr is enough.
    env: { ...process.env, GGML_NO_BACKTRACE: '1' },
  });
  const packer = createConfigPacker();
  const generations = new Map<number, Sent>();
  const statsRequests = new Map<number, Asked<EngineStats>>();
  const adapterRequests = new Map<number, Asked<EngineInfo>>();
  const ready = deferred<EngineInfo>();
  const exited = deferred<void>();
  let isLoading = true;
  let exitReason: string | null = null;
  /** Why this process was killed from here. */
  let stall: Stall | null = null;
  let nextId = 0;
  // A caller that closes the process while it loads does not wait for `ready`.
  ready.promise.catch(() => {});

  const assertRunning = (): void => {
    if (exitReason !== null) throw new ModelError('engine_failed', `the engine process has exited (${exitReason})`);
  };
  const detector = new StallDetector(options.limits, (id) => generations.get(id)?.isCancelled ?? true);
  const watch = watchChild(child.stdio[WATCH_FD] as Readable, detector, {
    onSuspect: (id) => generations.get(id)?.queue.push({ type: 'stalling' }),
    onStall(decided) {
      stall = decided;
      child.kill('SIGKILL');
    },
  });
  const onExit = (cause: string): void => {
    if (exitReason !== null) return;
    watch.end();
    const reason = stall?.reason ?? cause;
    exitReason = reason;
    ready.reject(new ModelError('engine_failed', `the engine process exited while it loaded the model (${reason})`));
    const isAlone = generations.size === 1;
    for (const [id, { queue }] of generations) queue.fail(deathOf(id, stall, isAlone, reason));
    for (const { reject } of [...statsRequests.values(), ...adapterRequests.values()]) {
      reject(new ModelError('engine_failed', `the engine process exited (${reason})`));
    }
    generations.clear();
    statsRequests.clear();
    adapterRequests.clear();
    exited.resolve();
    listener.onExit(reason);
  };
  const onMessage = (message: FromEngine): void => {
    switch (message.kind) {
      case 'ready':
        isLoading = false;
        watch.begin();
        ready.resolve(message.info);
        break;
      case 'unable':
        ready.reject(fromWireError(message.error));
        child.kill('SIGKILL');
        break;
      case 'memory':
        listener.onMemory?.(message.plan);
        break;
      case 'progress':
        listener.onProgress?.(message.share);
        break;
      case 'warning':
        listener.onWarning(message.message);
        break;
      case 'events':
        for (const [id, part] of message.events) {
          const { queue, joiner } = generations.get(id) ?? {};
          const event = joiner?.join(part) ?? null;
          if (event === null) continue;
          queue?.push(event);
          if (event.type !== 'finished') continue;
          generations.delete(id);
          queue?.end();
        }
        break;
      case 'failed':
        generations.get(message.id)?.queue.fail(fromWireError(message.error));
        generations.delete(message.id);
        break;
      case 'stats':
        statsRequests.get(message.id)?.resolve(message.stats);
        statsRequests.delete(message.id);
        break;
      case 'info':
        adapterRequests.get(message.id)?.resolve(message.info);
        adapterRequests.delete(message.id);
        break;
      case 'refused':
        adapterRequests.get(message.id)?.reject(fromWireError(message.error));
        adapterRequests.delete(message.id);
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
  post(child, { kind: 'open', options: options.open });

  return {
    pid: child.pid ?? null,
    ready: ready.promise,
    async *generate(request, signal) {
      assertRunning();
      if (signal?.aborted) throw new ModelError('aborted', 'the generation was cancelled before it began');
      const id = nextId++;
      const queue = new EventQueue<GenerationEvent>();
      const sent: Sent = { queue, joiner: createEventJoiner(), isCancelled: false };
      let timer: NodeJS.Timeout | undefined;
      const cancel = (): void => {
        if (!generations.has(id) || sent.isCancelled) return;
        sent.isCancelled = true;
        post(child, { kind: 'cancel', id });
        const unanswered = new ModelError('aborted', 'the generation was cancelled; the engine is busy');
        timer = setTimeout(() => queue.fail(unanswered), CANCEL_ANSWER_MS);
      };
      generations.set(id, sent);
      signal?.addEventListener('abort', cancel, { once: true });
      const { config, ...rest } = request;
      post(child, { kind: 'generate', id, request: rest, config: packer.pack(config) });
      try {
        yield* queue;
      } finally {
        signal?.removeEventListener('abort', cancel);
        cancel();
        clearTimeout(timer);
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
    async setAdapters(files) {
      assertRunning();
      const id = nextId++;
      const { promise, resolve, reject } = deferred<EngineInfo>();
      adapterRequests.set(id, { resolve, reject });
      post(child, { kind: 'adapters', id, files });
      return await promise;
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

/** The error of a generation whose process has exited. */
function deathOf(id: number, stall: Stall | null, isAlone: boolean, reason: string): ModelError {
  if (stall === null || stall.generation === null) {
    const code = isAlone ? 'engine_failed' : 'engine_lost';
    return new ModelError(code, `the engine process exited during this generation (${reason})`);
  }
  if (stall.generation === id) {
    return new ModelError(
      'generation_stalled',
      `one step of this generation kept the engine busy for too long (${reason}): simplify its parameters`,
    );
  }
  return new ModelError('engine_interrupted', `the engine process was ended for another generation (${reason})`);
}

function post(child: ChildProcess, message: ToEngine): void {
  // A process that has just exited cannot receive messages; its exit fails the requests.
  if (child.connected) child.send(message, () => {});
}
