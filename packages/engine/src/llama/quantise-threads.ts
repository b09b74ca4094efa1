import { Worker } from 'node:worker_threads';
import type { QuantiseJob, QuantiseThreadData } from './quantise-worker.ts';

/** What all threads quantise together. */
export interface QuantiseRequest {
  readonly type: number;
  readonly rows: Float32Array;
  readonly rowLength: number;
  /** Of a quantised row. */
  readonly bytesPerRow: number;
  readonly importance: Float32Array | null;
}

/** Quantises whole rows; each result is an array of its own. */
export type QuantiseRows = (request: QuantiseRequest) => Promise<Uint8Array>;

/**
 * Threads of our own: those of Node's pool are four, whatever the processor has. They start with the first call, work on memory
 * that all of them see, and keep no process alive.
 */
export function createQuantiseThreads(directory: string, threads: number): QuantiseRows {
  const workerData: QuantiseThreadData = { directory };
  let workers: readonly Worker[] = [];
  let shared = new SharedArrayBuffer(0);
  let last: Promise<unknown> = Promise.resolve();

  const begin = (): void => {
    if (workers.length > 0) return;
    const entry = new URL('./quantise-worker.js', import.meta.url);
    workers = Array.from({ length: threads }, () => new Worker(entry, { workerData }));
    for (const worker of workers) {
      worker.unref();
      // A failure is that of the job which waits for the thread; without one, the next job begins new threads.
      worker.on('error', () => undefined);
      worker.on('exit', () => {
        if (workers.includes(worker)) end();
      });
    }
  };
  // Not terminated: a thread that loads native code then would end the process.
  const end = (): void => {
    const ended = workers;
    workers = [];
    for (const worker of ended) worker.postMessage(null);
  };
  const work = async ({ type, rows, rowLength, bytesPerRow, importance }: QuantiseRequest): Promise<Uint8Array> => {
    begin();
    const count = rows.length / rowLength;
    const sizeBytes = count * bytesPerRow;
    if (shared.byteLength < rows.byteLength + sizeBytes) shared = new SharedArrayBuffer(rows.byteLength + sizeBytes);
    const source = new Float32Array(shared, 0, rows.length);
    source.set(rows);
    // Rows are quantised independently, so the parts are those of one call.
    const perThread = Math.ceil(count / threads);
    const jobs: Promise<void>[] = [];
    for (const [at, worker] of workers.entries()) {
      const first = at * perThread;
      const end = Math.min(count, first + perThread);
      if (first >= end) break;
      const target = new Uint8Array(shared, rows.byteLength + first * bytesPerRow, (end - first) * bytesPerRow);
      const part = source.subarray(first * rowLength, end * rowLength);
      jobs.push(run(worker, { type, source: part, target, rows: end - first, rowLength, importance }));
    }
    const failed = (await Promise.allSettled(jobs)).find((result) => result.status === 'rejected');
    if (failed !== undefined) {
      end();
      throw failed.reason;
    }
    return new Uint8Array(shared, rows.byteLength, sizeBytes).slice();
  };
  return (request) => {
    const result = last.then(() => work(request));
    last = result.catch(() => undefined);
    return result;
  };
}

/** A waiting thread keeps the process alive only as long as it has a job. */
async function run(worker: Worker, job: QuantiseJob): Promise<void> {
  worker.ref();
  try {
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      };
      const onMessage = (): void => {
        done();
        resolve();
      };
      const onError = (error: Error): void => {
        done();
        reject(error);
      };
      const onExit = (): void => onError(new Error('a thread that quantises weights has ended'));
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      worker.postMessage(job);
    });
  } finally {
    worker.unref();
  }
}
