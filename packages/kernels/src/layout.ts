/**
 * The structs of `native/abi.h` as rows of 64-bit words. Every function writes one struct at a word and returns the word
 * behind it; `STRUCT_WORDS` lets the loader compare sizes with the library's.
 */
import type { Address } from './system.ts';

/** Numbers of ggml, see `enum weight_type`. */
export const WEIGHT_TYPES = { f32: 0, f16: 1, q4_0: 2, q8_0: 8, q4_K: 12, q5_K: 13, q6_K: 14, bf16: 30 } as const;

export type WeightType = keyof typeof WEIGHT_TYPES;

export const MAX_ROWS = 128;
export const ROWS_OF_GROUP = 16;
export const COLUMNS_OF_UNIT = 64;
/** Groups of a matrix are a multiple of this: a product's input is whole units. */
export const GROUPS_OF_UNIT: number = COLUMNS_OF_UNIT / ROWS_OF_GROUP;

/** In the order of `gptj_struct_words`. */
export const STRUCT_WORDS = {
  matrix: 4,
  layer: 28,
  model: 21,
  sequence: 6,
  output: 4,
  step: 17,
  pack: 9,
  services: 5,
  measurement: 14,
  adapterLayer: 18,
  adapterUse: 2,
} as const;

/** A packed matrix. */
export interface Matrix {
  readonly weights: Address;
  readonly type: WeightType;
  readonly groups: number;
  readonly units: number;
}

/** A block: its matrices and vectors. */
export interface Layer {
  readonly normWeight: Address;
  readonly normBias: Address;
  readonly query: Matrix;
  readonly key: Matrix;
  readonly value: Matrix;
  readonly attentionOut: Matrix;
  readonly mlpIn: Matrix;
  readonly mlpOut: Matrix;
  readonly mlpInBias: Address;
  readonly mlpOutBias: Address;
}

/** Words under construction. */
export class Words {
  readonly integers: BigInt64Array<ArrayBuffer>;
  readonly floats: Float64Array<ArrayBuffer>;
  #at = 0;

  constructor(buffer: ArrayBuffer) {
    this.integers = new BigInt64Array(buffer);
    this.floats = new Float64Array(buffer);
  }

  /** Continue at a word. */
  seek(word: number): this {
    this.#at = word;
    return this;
  }

  put(...values: readonly (bigint | number)[]): this {
    for (const value of values) this.integers[this.#at++] = BigInt(value);
    return this;
  }

  putFloat(value: number): this {
    this.floats[this.#at++] = value;
    return this;
  }

  putMatrix({ weights, type, groups, units }: Matrix): this {
    return this.put(weights, WEIGHT_TYPES[type], groups, units);
  }

  putLayer(layer: Layer): this {
    this.put(layer.normWeight, layer.normBias);
    for (const matrix of [layer.query, layer.key, layer.value, layer.attentionOut, layer.mlpIn, layer.mlpOut]) {
      this.putMatrix(matrix);
    }
    return this.put(layer.mlpInBias, layer.mlpOutBias);
  }
}

/** The words of `step`, in order. */
export const STEP_FIELDS = [
  'model',
  'keys',
  'values',
  'cells',
  'wide',
  'memory',
  'set',
  'pool',
  'threads',
  'abort',
  'rows',
  'tokens',
  'sequences',
  'sequence',
  'outputs',
  'output',
  'exits',
] as const;
