/**
 * A few threads for work on requests that could occupy the server's own thread.
 *
 * A thread: **starting** (it opens its tools) → **idle** ⇄ **busy** (with one task) → **ended**. A thread whose task takes
 * longer than the deadline, or needs more memory than a thread may have, is ended with the task, and another one starts in
 * its place.
 *
 * Invariants
 * - Every task ends exactly once: with its output, its error, `request_too_costly`, `parsing_busy` or `shutting_down`.
 * - A task waits only while no thread is idle.
 */
import { Worker } from 'node:worker_threads';
import { ApiError } from '@gptj-cloud/protocol';
import type { Logger } from '../telemetry/logger.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { createTaskQueue, type Waiting } from './task-queue.ts';
import { fromWireError } from './wire-error.ts';

export interface WorkerPoolOptions {
  /** The main module of a thread: it calls `serveJobs`. */
  readonly entry: URL;
  /** Plain data for the tools. */
  readonly workerData: unknown;
  readonly threads: number;
  /** Maximum number of tasks that wait for a thread. */
  readonly maxWaiting: number;
  /** Maximum time of one task on a thread. */
  readonly deadlineMs: number;
  /** Maximum time that a task waits for a thread. Default: twice the deadline. */
  readonly patienceMs?: number;
  /** Memory of one thread for JavaScript values. */
  readonly maxHeapMb: number;
  readonly logger: Logger;
}

export interface WorkerTask {
  /** The name of its job. */
  readonly job: string;
  readonly input: unknown;
  readonly moved: readonly ArrayBuffer[];
  /** What it reads, for errors. */
  readonly what: string;
  readonly owner: string;
}

export interface WorkerPool {
  /**
   * Execute a task. `onSpent` is called with the milliseconds that a thread worked on it, before the promise settles.
   *
   * Throws the `ApiError`s of the job, `request_too_costly`, `parsing_busy`, `shutting_down`.
   */
  run(task: WorkerTask, onSpent: (ms: number) => void): Promise<unknown>;
  /** Have new threads open their tools from other data. Tasks from now on go to them alone; the present threads end with their task. */
  replace(workerData: unknown): void;
  /** End all threads; tasks end with `shutting_down`. */
  close(): Promise<void>;
}

interface QueuedTask extends WorkerTask, Waiting {
  readonly onSpent: (ms: number) => void;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
  patience: NodeJS.Timeout | undefined;
}

interface BusyWith {
  readonly task: QueuedTask;
  readonly startedAt: number;
  readonly deadline: NodeJS.Timeout;
  /** What the task is at. */
  what: string;
}

interface Thread {
  readonly worker: Worker;
  isReady: boolean;
  busy: BusyWith | null;
  /** Others take its place: it takes no more tasks. */
  isOld: boolean;
}

/** A client waits about as long as for a slow connection before it tries again. */
const RETRY_SECONDS = 2;
/** Pause before a thread that could not start is started again. */
const RESTART_MS = 1_000;

export function openWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const { entry, deadlineMs, patienceMs = 2 * deadlineMs, maxHeapMb, logger } = options;
  const queue = createTaskQueue<QueuedTask>(options.maxWaiting);
  const threads = new Set<Thread>();
  let { workerData } = options;
  let isClosed = false;

  const start = (): void => {
    if (isClosed) return;
    const worker = new Worker(entry, { workerData, resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } });
    const thread: Thread = { worker, isReady: false, busy: null, isOld: false };
    threads.add(thread);
    worker.on('message', (message: FromWorker) => onMessage(thread, message));
    worker.on('error', (error) => onEnd(thread, error));
    worker.on('exit', () => onEnd(thread, null));
  };

  const onMessage = (thread: Thread, message: FromWorker): void => {
    if (!threads.has(thread)) return;
    if (message.kind === 'stage') {
      if (thread.busy !== null) thread.busy.what = message.what ?? thread.busy.task.what;
      return;
    }
    if (message.kind === 'ready') thread.isReady = true;
    else {
      const task = finish(thread, message.ms);
      if (message.kind === 'done') task?.resolve(message.output);
      else task?.reject(fromWireError(message.error));
    }
    assignNext(thread);
  };

  /** The thread has no task any more. */
  const finish = (thread: Thread, ms: number): QueuedTask | null => {
    const { busy } = thread;
    if (busy === null) return null;
    clearTimeout(busy.deadline);
    thread.busy = null;
    busy.task.onSpent(ms);
    return busy.task;
  };

  const assignNext = (thread: Thread): void => {
    if (thread.isOld) {
      retire(thread);
      return;
    }
    const task = thread.isReady && thread.busy === null ? queue.take() : undefined;
    if (task === undefined) return;
    clearTimeout(task.patience);
    thread.busy = {
      task,
      startedAt: performance.now(),
      deadline: setTimeout(() => endOverdue(thread), deadlineMs),
      what: task.what,
    };
    thread.worker.postMessage({ job: task.job, input: task.input } satisfies ToWorker, [...task.moved]);
  };

  /** End a thread whose place others have taken, unless it is busy. */
  const retire = (thread: Thread): void => {
    if (thread.busy !== null || !threads.delete(thread)) return;
    void thread.worker.terminate();
  };

  const endOverdue = (thread: Thread): void => {
    const { busy } = thread;
    if (busy === null) return;
    threads.delete(thread);
    void thread.worker.terminate();
    logger.warn('a request took longer to read than allowed', { job: busy.task.job, what: busy.what, deadlineMs });
    finish(thread, performance.now() - busy.startedAt);
    busy.task.reject(new ApiError('request_too_costly', { what: busy.what, limit: `${deadlineMs} ms` }));
    if (!thread.isOld) start();
  };

  /** A thread ended by itself: out of memory, or by a bug. */
  const onEnd = (thread: Thread, error: Error | null): void => {
    if (!threads.delete(thread) || isClosed) return;
    const { busy } = thread;
    if (busy === null) {
      logger.error('a worker thread ended', { error: error ?? 'exit' });
      if (!thread.isOld) setTimeout(start, RESTART_MS).unref();
      return;
    }
    const isOutOfMemory = error !== null && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    finish(thread, performance.now() - busy.startedAt);
    if (isOutOfMemory) {
      busy.task.reject(new ApiError('request_too_costly', { what: busy.what, limit: `${maxHeapMb} MB` }));
    } else busy.task.reject(error ?? new Error('the worker thread ended during a task'));
    if (!thread.isOld) start();
  };

  const busyError = (): ApiError => new ApiError('parsing_busy', {}, { retryAfterSeconds: RETRY_SECONDS });

  for (let count = 0; count < options.threads; count++) start();
  return {
    run: (task, onSpent) =>
      new Promise((resolve, reject) => {
        if (isClosed) throw new ApiError('shutting_down', {}, { retryAfterSeconds: RETRY_SECONDS });
        const queued: QueuedTask = { ...task, onSpent, resolve, reject, patience: undefined };
        if (!queue.add(queued)) throw busyError();
        queued.patience = setTimeout(() => {
          queue.remove(queued);
          reject(busyError());
        }, patienceMs);
        for (const thread of threads) assignNext(thread);
      }),
    replace(next) {
      if (isClosed) return;
      workerData = next;
      for (const thread of threads) {
        thread.isOld = true;
        retire(thread);
      }
      for (let count = 0; count < options.threads; count++) start();
    },
    async close() {
      isClosed = true;
      const tasks = [...queue.clear(), ...[...threads].flatMap((thread) => finish(thread, 0) ?? [])];
      for (const { patience, reject } of tasks) {
        clearTimeout(patience);
        reject(new ApiError('shutting_down', {}, { retryAfterSeconds: RETRY_SECONDS }));
      }
      const ending = [...threads].map(({ worker }) => worker.terminate());
      threads.clear();
      await Promise.all(ending);
    },
  };
}
