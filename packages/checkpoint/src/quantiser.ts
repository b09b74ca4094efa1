import type { QuantisedType } from './tensor-type.ts';

/** Makes quantised blocks. `@gptj-cloud/engine` implements it with llama.cpp. */
export interface Quantiser {
  /** Weights in a block, as the library has it. */
  blockSize(type: QuantisedType): number;
  /** Bytes of a block, as the library has it. */
  typeSize(type: QuantisedType): number;
  /**
   * Quantise whole rows of `rowLength` weights, which is a multiple of the block size. `rows` stays as it is until the
   * promise settles; the answer need only last until the next call.
   */
  quantise(type: QuantisedType, rows: Float32Array, rowLength: number): Promise<Uint8Array>;
}
