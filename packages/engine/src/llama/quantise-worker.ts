/** Main module of a thread of `createQuantiseThreads`. */
import { parentPort, workerData } from 'node:worker_threads';
import { ModelError } from '@gptj-cloud/model';
import { findLibraryFile } from './find-library.ts';
import { QUANTISE_CHUNK } from './native.ts';
import { openLibraries } from './open-library.ts';

/** Data of such a thread. */
export interface QuantiseThreadData {
  /** Of llama.cpp's libraries, which the main thread has loaded. */
  readonly directory: string;
}

/** Rows in memory that both threads see. */
export interface QuantiseJob {
  readonly type: number;
  readonly source: Float32Array;
  readonly target: Uint8Array;
  readonly rows: number;
  readonly rowLength: number;
  readonly importance: Float32Array | null;
}

const { directory } = workerData as QuantiseThreadData;
const path = findLibraryFile(directory, 'ggml-base') ?? findLibraryFile(directory, 'ggml');
if (path === null) throw new ModelError('library_missing', `no llama.cpp in ${directory}: expected libggml`);
const [library] = openLibraries([path]);
const quantise = library.func(QUANTISE_CHUNK);

/** Null: there are no more. */
parentPort?.on('message', (job: QuantiseJob | null) => {
  if (job === null) {
    parentPort?.close();
    return;
  }
  const { type, source, target, rows, rowLength, importance } = job;
  parentPort?.postMessage(Number(quantise(type, source, target, 0, rows, rowLength, importance)));
});
