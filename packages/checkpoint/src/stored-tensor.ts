import type { BoundedFile, ByteSource } from './bounded-file.ts';

/** A type of stored elements that a weight may have; `f64` is rounded to float32 as it is read. */
export type StoredFloatType = 'f64' | 'f32' | 'f16' | 'bf16';

/** Bytes of one element. */
export const STORED_FLOAT_BYTES: Readonly<Record<StoredFloatType, number>> = { f64: 8, f32: 4, f16: 2, bf16: 2 };

/** One entry of a weights file's own directory. */
export interface StoredTensor {
  /** As the file spells it. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Distance in elements between neighbours in each dimension; row-major tensors without gaps have {@link rowMajorStrides}. */
  readonly strides: readonly number[];
  /** The element type as the file spells it, for messages. */
  readonly storedType: string;
  /** Null for integers, booleans and everything else that cannot be a weight. */
  readonly type: StoredFloatType | null;
  /** Of the first element, from the start of the file, or of `source`. */
  readonly offset: number;
  /** The part of the file that has the elements, where it is not found before it is read. */
  readonly source?: ByteSource;
  /** About where the elements begin in the file; default `offset`. */
  readonly position?: number;
}

/** Reads the directory of one weights file of a format. */
export type HeaderReader = (file: BoundedFile) => Promise<readonly StoredTensor[]>;

/** Maximum number of tensors in one file. GPT-J-6B has 285. */
export const MAX_TENSORS: number = 1 << 16;

/** Maximum number of dimensions of one tensor. Weights have two; PyTorch itself allows 64. */
export const MAX_DIMENSIONS = 64;

/** Strides of a row-major tensor without gaps. */
export function rowMajorStrides(shape: readonly number[]): readonly number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** Whether the elements lie one after another in row-major order. The stride of a dimension of size 1 is never used. */
export function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  const expected = rowMajorStrides(shape);
  return strides.every((stride, i) => shape[i] === 1 || stride === expected[i]);
}
