import type { Quantiser } from '@gptj-cloud/checkpoint';
import { loadLlama } from './native.ts';
import { GGML_TYPE } from './native-structs.ts';

/**
 * Quantisation by llama.cpp's own routines, so that a file is identical to the file that llama.cpp's tools write.
 * Throws `library_missing` and `library_unknown`.
 */
export function openQuantiser(): Quantiser {
  const library = loadLlama();
  return {
    blockSize: (type) => library.blockSize(GGML_TYPE[type]),
    typeSize: (type) => library.rowSize(GGML_TYPE[type], library.blockSize(GGML_TYPE[type])),
    async quantise(type, rows, rowLength) {
      const count = rows.length / rowLength;
      const target = new Uint8Array(count * library.rowSize(GGML_TYPE[type], rowLength));
      await library.quantise(GGML_TYPE[type], rows, target, count, rowLength);
      return target;
    },
  };
}
