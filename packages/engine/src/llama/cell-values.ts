/**
 * The keys and values that llama.cpp holds for the positions of its cache, as bytes of a sequence's state.
 *
 * Attention masks the cells of other sequences, but reads them: zero times NaN is NaN. So one sequence whose keys or values
 * overflow would spoil all others of its context, also those that are opened after it is released, since released cells keep
 * their numbers until they are written again.
 *
 * A state is a header of positions, followed for each layer by its keys, then for each layer by its values, each of them with
 * a type, a size and (`TENSOR_HEADER_BYTES` in all) the numbers.
 */
import { type GptjConfig, ModelError } from '@gptj-cloud/model';
import type { LlamaLibrary } from './native.ts';
import type { Pointer } from './native-structs.ts';

/** Positions that are copied at once: 30 MB of GPT-J-6B. */
const COPIED_POSITIONS = 64;
const TENSOR_HEADER_BYTES = 12;

export interface CellValuesParts {
  readonly library: LlamaLibrary;
  readonly context: Pointer;
  readonly memory: Pointer;
  readonly config: GptjConfig;
  readonly cacheType: 'f16' | 'f32';
  /** Two sequences of the context that nothing else uses while a method runs. */
  readonly scratch: readonly [number, number];
}

export class CellValues {
  readonly #parts: CellValuesParts;
  #bytes = new Uint8Array(0);

  constructor(parts: CellValuesParts) {
    this.#parts = parts;
  }

  /** Whether all keys and values of the positions from `from` up to `to` are finite. */
  areFinite(sequence: number, from: number, to: number): boolean {
    const { library, memory, scratch } = this.#parts;
    for (let at = from; at < to; at += COPIED_POSITIONS) {
      const end = Math.min(to, at + COPIED_POSITIONS);
      library.sequenceCopy(memory, sequence, scratch[0], at, end);
      try {
        if (!this.isFiniteState(this.#read(scratch[0]), end - at)) return false;
      } finally {
        library.sequenceRemove(memory, scratch[0], -1, -1);
      }
    }
    return true;
  }

  /** Whether the numbers of a state of that many positions are finite. Throws `snapshot_invalid` for one of another size. */
  isFiniteState(state: Uint8Array, positions: number): boolean {
    const { cacheType } = this.#parts;
    const areAllFinite = cacheType === 'f16' ? areHalfsFinite : areFloatsFinite;
    return this.#tensors(state, positions).every(areAllFinite);
  }

  /**
   * Prepare to overwrite the cells that no sequence has with zeros, which the returned function does. It writes all of them,
   * since the library alone knows which ones are free: the time of copying as many bytes.
   *
   * @param sequence has positions from `from` up to `to`, at least one; the cells' form is taken from them
   */
  prepareClear(sequence: number, from: number, to: number): () => void {
    const { library, context, memory, scratch } = this.#parts;
    const [writing, written] = scratch;
    const zeros = [Math.min(COPIED_POSITIONS, to - from), 1].map((positions) => {
      library.sequenceCopy(memory, sequence, writing, from, from + positions);
      try {
        const state = this.#read(writing).slice();
        for (const tensor of this.#tensors(state, positions)) tensor.fill(0);
        return state;
      } finally {
        library.sequenceRemove(memory, writing, -1, -1);
      }
    });
    return () => {
      try {
        for (const state of zeros) {
          // What is written stays taken until no cell is left.
          while (library.stateWrite(context, state, writing) === state.byteLength) {
            library.sequenceCopy(memory, writing, written, -1, -1);
          }
        }
      } finally {
        for (const each of scratch) library.sequenceRemove(memory, each, -1, -1);
      }
    };
  }

  /** The state of a sequence, valid until the next call. */
  #read(sequence: number): Uint8Array {
    const { library, context } = this.#parts;
    const size = library.stateSize(context, sequence);
    if (this.#bytes.byteLength < size) this.#bytes = new Uint8Array(size);
    const state = this.#bytes.subarray(0, size);
    const read = library.stateRead(context, state, sequence);
    if (read === size) return state;
    throw new ModelError('engine_failed', `llama.cpp wrote ${read} of ${size} bytes of a sequence`);
  }

  /** The numbers of a state: those of each layer's keys, then those of each layer's values. */
  #tensors(state: Uint8Array, positions: number): readonly Uint8Array[] {
    const { config, cacheType } = this.#parts;
    const { layerCount, embeddingSize } = config;
    const size = positions * embeddingSize * (cacheType === 'f16' ? 2 : 4);
    const stride = TENSOR_HEADER_BYTES + size;
    const first = state.byteLength - 2 * layerCount * stride;
    if (first < 0) {
      throw new ModelError(
        'snapshot_invalid',
        `expected keys and values of ${positions} positions of this model, got ${state.byteLength} bytes`,
      );
    }
    return Array.from({ length: 2 * layerCount }, (_, i) => {
      const start = first + i * stride + TENSOR_HEADER_BYTES;
      return state.subarray(start, start + size);
    });
  }
}

/** Not finite: all bits of the exponent are set. Two halfs are read at once, by index: an iterator takes 2.7 times as long. */
function areHalfsFinite(bytes: Uint8Array): boolean {
  const read = words(bytes);
  for (let i = 0; i < read.length; i++) {
    const word = read[i]!;
    if ((word & 0x7c00) === 0x7c00 || (word & 0x7c00_0000) === 0x7c00_0000) return false;
  }
  return true;
}

function areFloatsFinite(bytes: Uint8Array): boolean {
  const read = words(bytes);
  for (let i = 0; i < read.length; i++) if ((read[i]! & 0x7f80_0000) === 0x7f80_0000) return false;
  return true;
}

/** Rows are a multiple of four bytes long, and so are all parts of a state. */
function words(bytes: Uint8Array): Uint32Array {
  // Not `slice`, which of a Buffer is a view.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}
