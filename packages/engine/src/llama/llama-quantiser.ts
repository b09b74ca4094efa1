import { availableParallelism } from 'node:os';
import type { Quantiser } from '@gptj-cloud/checkpoint';
import { loadLlama } from './native.ts';
import { GGML_TYPE } from './native-structs.ts';

/** Native calls run on the threads of Node's pool, of which there are four by default. */
const MAX_THREADS = 4;

/**
 * Quantisation by llama.cpp's own routines, so that a file is identical to the file that llama.cpp's tools write.
 * Throws `library_missing` and `library_unknown`.
 */
export function openQuantiser(): Quantiser {
  const library = loadLlama();
  const threads = Math.min(availableParallelism(), MAX_THREADS);
  return {
    blockSize: (type) => library.blockSize(GGML_TYPE[type]),
    typeSize: (type) => library.rowSize(GGML_TYPE[type], library.blockSize(GGML_TYPE[type])),
    async quantise(type, rows, rowLength, importance) {
      const count = rows.length / rowLength;
      const bytesPerRow = library.rowSize(GGML_TYPE[type], rowLength);
      const target = new Uint8Array(count * bytesPerRow);
      // Rows are quantised independently, so the parts are those of one call.
      const perThread = Math.ceil(count / threads);
      const parts: Promise<number>[] = [];
      for (let first = 0; first < count; first += perThread) {
        const end = Math.min(count, first + perThread);
        const source = rows.subarray(first * rowLength, end * rowLength);
        const part = target.subarray(first * bytesPerRow, end * bytesPerRow);
        parts.push(library.quantise(GGML_TYPE[type], source, part, end - first, rowLength, importance));
      }
      await Promise.all(parts);
      return target;
    },
  };
}
