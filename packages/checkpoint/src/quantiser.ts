import type { QuantisedType } from './tensor-type.ts';

/** Quantises weights into blocks. `@gptj-cloud/engine` implements it with llama.cpp. */
export interface Quantiser {
  /** Number of weights in a block of this library. */
  blockSize(type: QuantisedType): number;
  /** Size of a block of this library in bytes. */
  typeSize(type: QuantisedType): number;
  /**
   * Quantise whole rows of `rowLength` weights, which is a multiple of the block size. The caller must not change `rows`
   * until the promise settles. Each result is an array of its own. `importance`: what the error of each column weighs; null:
   * all the same.
   */
  quantise(
    type: QuantisedType,
    rows: Float32Array,
    rowLength: number,
    importance: Float32Array | null,
  ): Promise<Uint8Array>;
}
