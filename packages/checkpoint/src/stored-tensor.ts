import type { BoundedFile } from './bounded-file.ts';
import type { FloatType } from './tensor-type.ts';

/** What a file's own directory says of one tensor: the bytes at `offset` are its row-major elements. */
export interface StoredTensor {
  /** As the file spells it. */
  readonly name: string;
  readonly shape: readonly number[];
  /** The element type as the file spells it, for messages. */
  readonly storedType: string;
  /** Null for integers, booleans and everything else that is not a weight. */
  readonly type: FloatType | null;
  /** From the start of the file. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Reads the directory of one weights file of a format. */
export type HeaderReader = (file: BoundedFile) => Promise<readonly StoredTensor[]>;

/** Most tensors of one file. GPT-J-6B has 285. */
export const MAX_TENSORS: number = 1 << 16;

/** Most dimensions of one tensor. */
export const MAX_DIMENSIONS = 8;
