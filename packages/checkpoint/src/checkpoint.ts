import type { GptjConfig } from '@gptj-cloud/model';
import type { ParsedTokenizerFiles } from '@gptj-cloud/tokenizer';
import type { TensorType } from './tensor-type.ts';

/** One weight tensor, under its Hugging Face name and in Hugging Face's row order, independent of the file's order. */
export interface CheckpointTensor {
  /** `transformer.h.0.attn.q_proj.weight`, always with the prefix. */
  readonly name: string;
  /** Row-major, [out, in] for a linear layer. */
  readonly shape: readonly number[];
  /** Of the rows that are read; see `stored`. */
  readonly type: TensorType;
  readonly sizeBytes: number;
  /** Where it begins in its file, for reading in the order of the file; absent where it is in several places. */
  readonly position?: number;
  /** Present where the file stores the weights in another way, and reading decodes them. */
  readonly stored?: { readonly type: string; readonly sizeBytes: number };
}

/** The tokenizer of a checkpoint, and the added tokens that have no row in the model. */
export type CheckpointTokenizer = ParsedTokenizerFiles;

export type CheckpointFormat = 'safetensors' | 'pytorch' | 'gguf' | 'ggml' | 'mesh';

/**
 * An open GPT-J: every tensor of `gptjTensors(config)` is present with the right shape, as checked on opening.
 * Reads may be concurrent.
 */
export interface Checkpoint {
  readonly format: CheckpointFormat;
  /** What distinguishes it from other files of the format, in a few words; null for the usual form. */
  readonly form: string | null;
  /** Folder or file it was opened from. */
  readonly path: string;
  /** The model's name in its metadata, else the name of the folder or file. */
  readonly modelName: string;
  readonly config: GptjConfig;
  /** In the order of `gptjTensors(config)`. */
  readonly tensors: readonly CheckpointTensor[];
  /** Warnings: ignored entries, and reasons why the checkpoint cannot be converted. */
  readonly warnings: readonly string[];
  /**
   * Raw bytes of whole rows, from `firstRow` on, until `target` is full. A vector is one row.
   * Throws `missing_tensor`, `truncated`, `io`, `closed`.
   */
  readRows(name: string, firstRow: number, target: Uint8Array): Promise<void>;
  /** Announce that a tensor is read from its start next, so that a form that takes long to read can begin. Never throws. */
  prepare?(name: string): void;
  /** Memory for rows in which they are read and worked on fastest. Goes with the checkpoint. */
  takeMemory?(sizeBytes: number): Uint8Array;
  /** Vocabulary, merges and added tokens. Throws `invalid_tokenizer`, `not_found`. */
  readTokenizer(): Promise<CheckpointTokenizer>;
  /** Idempotent. */
  close(): Promise<void>;
}
