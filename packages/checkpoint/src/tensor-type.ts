/** How the weights of one tensor are stored, by ggml's names. A block is the smallest unit of a row that can be decoded. */
export type TensorType = 'f32' | 'f16' | 'bf16' | 'q4_0' | 'q5_0' | 'q5_1' | 'q8_0' | 'q4_K' | 'q5_K' | 'q6_K';

/** Types made by a {@link Quantiser}. */
export type QuantisedType = Exclude<TensorType, FloatType>;

export type FloatType = 'f32' | 'f16' | 'bf16';

/** Layout of one type. */
export interface TensorTypeFacts {
  /** Number in a GGUF file (`enum ggml_type`). */
  readonly id: number;
  /** Weights in a block. */
  readonly blockSize: number;
  /** Bytes of a block. */
  readonly blockBytes: number;
}

/** ggml.h and ggml-common.h of llama.cpp v0.5.0. */
export const TENSOR_TYPES: Readonly<Record<TensorType, TensorTypeFacts>> = {
  f32: { id: 0, blockSize: 1, blockBytes: 4 },
  f16: { id: 1, blockSize: 1, blockBytes: 2 },
  q4_0: { id: 2, blockSize: 32, blockBytes: 18 },
  q5_0: { id: 6, blockSize: 32, blockBytes: 22 },
  q5_1: { id: 7, blockSize: 32, blockBytes: 24 },
  q8_0: { id: 8, blockSize: 32, blockBytes: 34 },
  q4_K: { id: 12, blockSize: 256, blockBytes: 144 },
  q5_K: { id: 13, blockSize: 256, blockBytes: 176 },
  q6_K: { id: 14, blockSize: 256, blockBytes: 210 },
  bf16: { id: 30, blockSize: 1, blockBytes: 2 },
};

const TYPE_NAMES: ReadonlyMap<number, TensorType> = new Map(
  (Object.keys(TENSOR_TYPES) as TensorType[]).map((type) => [TENSOR_TYPES[type].id, type]),
);

/** The type with this number in a GGUF file, or null for an unsupported type. */
export function tensorTypeById(id: number): TensorType | null {
  return TYPE_NAMES.get(id) ?? null;
}

export function isFloatType(type: TensorType): type is FloatType {
  return type === 'f32' || type === 'f16' || type === 'bf16';
}

/** Bytes of a row of `rowLength` weights, which is a multiple of the block size. */
export function rowBytes(type: TensorType, rowLength: number): number {
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  return (rowLength / blockSize) * blockBytes;
}

/** A tensor as rows: the last dimension is the row, everything before it counts rows. A vector is one row. */
export function rowsOf(shape: readonly number[]): { readonly rows: number; readonly rowLength: number } {
  const rowLength = shape[shape.length - 1] ?? 1;
  return { rows: shape.slice(0, -1).reduce((product, size) => product * size, 1), rowLength };
}

/** Weights in a tensor of this shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
