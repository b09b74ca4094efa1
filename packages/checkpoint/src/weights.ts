import type { GptjConfig } from '@gptj-cloud/model';
import type { TokenizerData } from '@gptj-cloud/tokenizer';
import type { Checkpoint } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { openGgufCheckpoint } from './gguf/open.ts';
import { decodeWeights } from './tensor-codec.ts';
import { elementCount, rowBytes, rowsOf } from './tensor-type.ts';

/** Weights as numbers, for an engine that computes in float32. */
export interface Weights {
  readonly modelName: string;
  readonly config: GptjConfig;
  readonly tokenizer: TokenizerData;
  /** A whole tensor by its Hugging Face name, row-major, in Hugging Face's row order. Each call returns a new array. */
  tensor(name: string): Promise<Float32Array>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Maximum number of bytes per read. */
const PIECE_BYTES = 8 * 1024 * 1024;

/** Open a phi2 export (GGUF) of any type this project reads. Throws `CheckpointError`. */
export async function openGgufWeights(path: string): Promise<Weights> {
  return toWeights(await openGgufCheckpoint(path));
}

/** The weights of an open checkpoint; closing them closes the checkpoint. Throws `CheckpointError`. */
export async function toWeights(checkpoint: Checkpoint): Promise<Weights> {
  try {
    return {
      modelName: checkpoint.modelName,
      config: checkpoint.config,
      tokenizer: (await checkpoint.readTokenizer()).data,
      tensor: (name) => readTensor(checkpoint, name),
      close: () => checkpoint.close(),
    };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

/** One whole tensor as float32. Throws `missing_tensor`, `truncated`, `io`, `closed`. */
async function readTensor(checkpoint: Checkpoint, name: string): Promise<Float32Array> {
  const tensor = checkpoint.tensors.find((candidate) => candidate.name === name);
  if (tensor === undefined) {
    throw new CheckpointError(
      'missing_tensor',
      { file: checkpoint.path, tensor: name },
      'expected the name of a weight',
    );
  }
  const { rows, rowLength } = rowsOf(tensor.shape);
  const bytes = rowBytes(tensor.type, rowLength);
  const rowsPerPiece = Math.max(1, Math.floor(PIECE_BYTES / bytes));
  const numbers = new Float32Array(elementCount(tensor.shape));
  const piece = new Uint8Array(Math.min(rows, rowsPerPiece) * bytes);
  for (let row = 0; row < rows; row += rowsPerPiece) {
    const count = Math.min(rowsPerPiece, rows - row);
    const stored = piece.subarray(0, count * bytes);
    await checkpoint.readRows(name, row, stored);
    decodeWeights(tensor.type, stored, numbers.subarray(row * rowLength, (row + count) * rowLength));
  }
  return numbers;
}
