import { VectorMemory } from './vectors/vector-memory.ts';

/** The part of a tensor in memory while its rows are gathered: a matrix of GPT-J-6B's layers in float16 is one band. */
export const BAND_BYTES: number = 128 * 1024 * 1024;

/** A band may have gaps of a quarter of its bytes. */
const MAX_BAND_BYTES = 1.25 * BAND_BYTES;

/** Bands at the same time: of the tensor that is read, and of the next one. */
const BANDS = 2;

/** Bands below this size are not worth a memory with vectors. */
const MIN_VECTOR_BYTES = 1024 * 1024;

/** Pieces of a conversion, see `transferWeights`. */
const MAX_PIECES_BYTES = 64 * 1024 * 1024;

/** The memory of one open checkpoint: bands that are lent, as fresh memory costs the time of its page faults, and pieces. */
export class BandMemory {
  readonly #memory: VectorMemory = new VectorMemory(BANDS * MAX_BAND_BYTES + MAX_PIECES_BYTES);
  readonly #free: Uint8Array[] = [];
  #bands = 0;

  /** To be given back with {@link give}. */
  take(sizeBytes: number): Uint8Array {
    const at = this.#free.findIndex((bytes) => bytes.byteLength >= sizeBytes);
    if (at >= 0) return this.#free.splice(at, 1)[0]!;
    if (sizeBytes < MIN_VECTOR_BYTES || sizeBytes > MAX_BAND_BYTES || this.#bands === BANDS)
      return new Uint8Array(sizeBytes);
    this.#bands++;
    return this.#memory.take(MAX_BAND_BYTES);
  }

  /** Accepts what {@link take} returned. No part of it may be used afterwards. */
  give(bytes: Uint8Array): void {
    this.#free.push(bytes);
    this.#free.sort((one, other) => other.byteLength - one.byteLength);
    this.#free.splice(BANDS);
  }

  /** Stays with the caller. */
  takePiece(sizeBytes: number): Uint8Array {
    return this.#memory.take(sizeBytes);
  }
}
