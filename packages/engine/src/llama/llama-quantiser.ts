import { availableParallelism } from 'node:os';
import type { Quantiser } from '@gptj-cloud/checkpoint';
import { type LlamaLibrary, loadLlama } from './native.ts';
import { GGML_TYPE } from './native-structs.ts';
import { createQuantiseThreads, type QuantiseRows } from './quantise-threads.ts';

/** Threads of Node's pool, on which native calls run by default. */
const POOL_THREADS = 4;

export interface QuantiserOptions {
  /** Default: as many as the processor executes at once. */
  readonly threads?: number;
}

/**
 * Quantisation by llama.cpp's own routines, so that a file is identical to the file that llama.cpp's tools write.
 * Throws `library_missing` and `library_unknown`.
 */
export function openQuantiser({ threads = availableParallelism() }: QuantiserOptions = {}): Quantiser {
  const library = loadLlama();
  const quantise =
    threads > POOL_THREADS ? createQuantiseThreads(library.directory, threads) : createPoolCalls(library, threads);
  return {
    blockSize: (type) => library.blockSize(GGML_TYPE[type]),
    typeSize: (type) => library.rowSize(GGML_TYPE[type], library.blockSize(GGML_TYPE[type])),
    quantise: (type, rows, rowLength, importance) =>
      quantise({
        type: GGML_TYPE[type],
        rows,
        rowLength,
        bytesPerRow: library.rowSize(GGML_TYPE[type], rowLength),
        importance,
      }),
  };
}

function createPoolCalls(library: LlamaLibrary, threads: number): QuantiseRows {
  return async ({ type, rows, rowLength, bytesPerRow, importance }) => {
    const count = rows.length / rowLength;
    const target = new Uint8Array(count * bytesPerRow);
    // Rows are quantised independently, so the parts are those of one call.
    const perThread = Math.ceil(count / threads);
    const parts: Promise<number>[] = [];
    for (let first = 0; first < count; first += perThread) {
      const end = Math.min(count, first + perThread);
      const source = rows.subarray(first * rowLength, end * rowLength);
      const part = target.subarray(first * bytesPerRow, end * bytesPerRow);
      parts.push(library.quantise(type, source, part, end - first, rowLength, importance));
    }
    await Promise.all(parts);
    return target;
  };
}
