/**
 * An engine in a process of its own, seen from the server: the same `Engine` interface over messages.
 *
 * States: **opening** (a child loads the model) → **ready** → (child dies) → **reopening** after a pause that doubles
 * up to half a minute → ready again … → **closed**. The first opening that fails is the caller's error; later ones are
 * tried again.
 *
 * Invariants
 * - A generation belongs to the child it was sent to. When that child dies it fails with `engine_failed`, once.
 * - Generations that come while no child is ready wait for the next one; they fail with `engine_failed` when an
 *   attempt to reopen fails.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ModelError } from '@gptj-cloud/model';
import type { Engine, EngineInfo, GenerationEvent, GenerationRequest } from '../engine.ts';
import type { EngineStats } from '../engine-stats.ts';
import { EventQueue } from '../event-queue.ts';
import type { OpenModelOptions } from '../open-model.ts';
import { type FromEngine, fromWireError, type ToEngine } from './messages.ts';

export interface SpawnEngineOptions extends OpenModelOptions {
  /** Told when the child died and is being started again, with the reason. */
  readonly onRestart?: (reason: string) => void;
  /** Told what an operator should know of, and generations do not suffer from. */
  readonly onWarning?: (message: string) => void;
  /** First pause before a dead child is started again; doubles with every failed start. Default 250 ms. */
  readonly restartDelayMs?: number;
}

const MAX_RESTART_DELAY_MS = 30_000;
/** A child that does not close by itself in this time is killed. */
const CLOSE_GRACE_MS = 5_000;

/** The engine, with what a supervisor wants to know of its process. */
export interface SpawnedEngine extends Engine {
  /** Process id of the running child; null while there is none. */
  readonly pid: number | null;
}

interface Child {
  readonly process: ChildProcess;
  readonly info: EngineInfo;
  readonly generations: Map<number, EventQueue<GenerationEvent>>;
  /** Questions for figures that are not answered yet. */
  readonly asked: Map<number, { answer(stats: EngineStats): void; fail(error: ModelError): void }>;
}

/** Start the engine's process and load the model. Throws what `openModel` throws. */
export async function spawnEngine(options: SpawnEngineOptions): Promise<SpawnedEngine> {
  const { onRestart, onWarning = () => {}, restartDelayMs = 250, ...open } = options;
  let child: Child | null = null;
  /** Settles when the attempt under way to get a child has ended. */
  let opening: Promise<Child> | null = null;
  let closed = false;
  let nextId = 0;
  let timer: NodeJS.Timeout | null = null;

  const start = (): Promise<Child> => {
    const attempt = openChild(open, onWarning, (dead, reason) => {
      if (child === dead) child = null;
      for (const queue of dead.generations.values()) {
        queue.fail(new ModelError('engine_failed', `the engine process ended during this run (${reason})`));
      }
      dead.generations.clear();
      for (const { fail } of dead.asked.values()) fail(new ModelError('engine_failed', 'the engine process ended'));
      dead.asked.clear();
      if (closed) return;
      onRestart?.(reason);
      reopen(0);
    });
    opening = attempt.then(
      (opened) => {
        child = opened;
        opening = null;
        if (closed) opened.process.kill('SIGKILL');
        return opened;
      },
      (error: unknown) => {
        opening = null;
        throw error;
      },
    );
    return opening;
  };

  const reopen = (failures: number): void => {
    const pause = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(restartDelayMs * 2 ** failures, MAX_RESTART_DELAY_MS));
    });
    opening = pause.then(() => {
      if (closed) throw new ModelError('closed', 'the engine is closed');
      return start();
    });
    opening.catch((error: Error) => {
      if (closed) return;
      onRestart?.(`could not start again: ${error.message}`);
      reopen(failures + 1);
    });
  };

  const ready = async (): Promise<Child> => {
    if (closed) throw new ModelError('closed', 'the engine is closed');
    if (child !== null) return child;
    try {
      return await opening!;
    } catch (cause) {
      const code = closed ? 'closed' : 'engine_failed';
      throw new ModelError(code, `the engine process could not be started again: ${(cause as Error).message}`, {
        cause,
      });
    }
  };

  const { info } = await start();
  return {
    info,
    get pid() {
      return child?.process.pid ?? null;
    },
    async *generate(request: GenerationRequest, signal?: AbortSignal) {
      const home = await ready();
      if (signal?.aborted) throw new ModelError('aborted', 'the generation was cancelled before it began');
      const id = nextId++;
      const queue = new EventQueue<GenerationEvent>();
      const cancel = () => {
        if (home.generations.has(id)) post(home.process, { kind: 'cancel', id });
      };
      home.generations.set(id, queue);
      signal?.addEventListener('abort', cancel, { once: true });
      post(home.process, { kind: 'generate', id, request });
      try {
        yield* queue;
      } finally {
        signal?.removeEventListener('abort', cancel);
        cancel();
        home.generations.delete(id);
      }
    },
    async stats() {
      const home = child;
      if (closed) throw new ModelError('closed', 'the engine is closed');
      if (home === null) throw new ModelError('engine_failed', 'the engine process is being started again');
      const id = nextId++;
      return await new Promise<EngineStats>((answer, fail) => {
        home.asked.set(id, { answer, fail });
        post(home.process, { kind: 'stats', id });
      });
    },
    async close() {
      if (closed) return;
      closed = true;
      if (timer !== null) clearTimeout(timer);
      const last = child;
      if (last === null) return;
      const exited = new Promise((resolve) => last.process.once('exit', resolve));
      post(last.process, { kind: 'close' });
      const grace = setTimeout(() => last.process.kill('SIGKILL'), CLOSE_GRACE_MS);
      await exited;
      clearTimeout(grace);
    },
  };
}

function post(process: ChildProcess, message: ToEngine): void {
  // A child that just died takes no message: its exit fails the generations.
  if (process.connected) process.send(message, () => {});
}

/** Fork a child and wait until its model is open. `onDeath` is called at most once, after it was ready. */
function openChild(
  options: OpenModelOptions,
  onWarning: (message: string) => void,
  onDeath: (child: Child, reason: string) => void,
): Promise<Child> {
  return new Promise((resolve, reject) => {
    const process_ = fork(fileURLToPath(new URL('./engine-main.js', import.meta.url)), {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // No debugger is started on a failed assertion; the message on stderr is enough.
      env: { ...process.env, GGML_NO_BACKTRACE: '1' },
    });
    let child: Child | null = null;
    process_.on('message', (message: FromEngine) => {
      switch (message.kind) {
        case 'ready':
          child = { process: process_, info: message.info, generations: new Map(), asked: new Map() };
          resolve(child);
          break;
        case 'unable':
          reject(fromWireError(message.error));
          process_.kill('SIGKILL');
          break;
        case 'warning':
          onWarning(message.message);
          break;
        case 'events':
          for (const [id, event] of message.events) {
            const queue = child?.generations.get(id);
            queue?.push(event);
            if (event.type !== 'finished') continue;
            child?.generations.delete(id);
            queue?.end();
          }
          break;
        case 'failed': {
          const queue = child?.generations.get(message.id);
          child?.generations.delete(message.id);
          queue?.fail(fromWireError(message.error));
          break;
        }
        case 'stats':
          child?.asked.get(message.id)?.answer(message.stats);
          child?.asked.delete(message.id);
          break;
        default:
          message satisfies never;
      }
    });
    process_.on('error', (cause) => {
      if (child === null)
        reject(new ModelError('engine_failed', `could not start the engine process: ${cause.message}`, { cause }));
    });
    process_.on('exit', (code, signal) => {
      const reason = signal === null ? `exit status ${code}` : `signal ${signal}`;
      if (child === null)
        reject(new ModelError('engine_failed', `the engine process ended while it loaded the model (${reason})`));
      else onDeath(child, reason);
    });
    post(process_, { kind: 'open', options });
  });
}
