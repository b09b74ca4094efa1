import type { Checkpoint, CheckpointTensor } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import type { GgufTensorPlan } from './gguf/header-bytes.ts';
import { isReordered, phi2RowToGptj, rowRuns } from './gguf/row-order.ts';
import { firstNonFinite, isHalfExact } from './number-checks.ts';
import type { Quantiser } from './quantiser.ts';
import { decodeWeights, encodeWeights } from './tensor-codec.ts';
import { isFloatType, type QuantisedType, rowBytes, rowsOf } from './tensor-type.ts';

/** One tensor of the target and what it is made from. */
export interface TransferStep extends GgufTensorPlan {
  /** Null for the zero biases of the phi2 export. */
  readonly source: CheckpointTensor | null;
}

/** Bytes of the target file. */
export interface ConvertProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** GGUF name of the tensor being written. */
  readonly tensor: string;
}

/** Takes the bytes of every tensor in their order. */
export interface TensorWriter {
  /** For messages. */
  readonly path: string;
  /** Of the finished file, and of those written so far. */
  readonly totalBytes: number;
  readonly writtenBytes: number;
  write(bytes: Uint8Array, tensor: string): Promise<void>;
}

interface TransferOptions {
  readonly checkpoint: Checkpoint;
  readonly writer: TensorWriter;
  readonly quantiser?: Quantiser;
  /** Weights of the columns, by GGUF name of the matrix. */
  readonly importance?: ReadonlyMap<string, Float32Array>;
  readonly onProgress?: (progress: ConvertProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Maximum number of weights per piece. With four buffers for the stored bytes, one for the numbers and two for the result: at
 * most 56 MiB for any model. A row is at most 2^20 weights (the bound of the config), so it always fits.
 */
const PIECE_WEIGHTS = 2 * 1024 * 1024;

/**
 * Pieces that are not quantised have this many: they stay in the processor's cache from the reading to the writing, which
 * halves the time of both. A transposition takes cache lines of 32 rows.
 */
const CACHED_WEIGHTS = 256 * 1024;
const CACHED_ROWS = 32;

/** Whole rows of one tensor of the target. */
interface Piece {
  readonly step: TransferStep;
  readonly firstRow: number;
  readonly rows: number;
  readonly rowLength: number;
}

/**
 * Copy tensors from the source to the target, in pieces: while one piece is computed, the next is read and the one before
 * written. Throws the errors of the reader, the writer and the quantiser, `out_of_range`, `aborted`.
 */
export async function transferWeights(
  steps: readonly TransferStep[],
  options: TransferOptions,
): Promise<{ readonly isHalfExact: boolean | null }> {
  const transfer = new Transfer(options);
  await transfer.run(steps);
  return { isHalfExact: transfer.isHalfExact };
}

class Transfer {
  /** See `ConvertSummary`. */
  isHalfExact: boolean | null = null;
  readonly #options: TransferOptions;
  readonly #stored: readonly Uint8Array[];
  readonly #numbers: Float32Array;
  readonly #results: readonly Uint8Array[];
  /** Rows of q or k in the source's order. */
  #reordered: Uint8Array | null = null;

  constructor(options: TransferOptions) {
    this.#options = options;
    this.#stored = [0, 1, 2].map(() => this.#takePiece());
    const numbers = this.#takePiece();
    this.#numbers = new Float32Array(numbers.buffer, numbers.byteOffset, PIECE_WEIGHTS);
    this.#results = [0, 1].map(() => this.#takePiece());
  }

  #takePiece(): Uint8Array {
    return this.#options.checkpoint.takeMemory?.(4 * PIECE_WEIGHTS) ?? new Uint8Array(4 * PIECE_WEIGHTS);
  }

  async run(steps: readonly TransferStep[]): Promise<void> {
    const pieces = this.#pieces(steps);
    let reading: Promise<Uint8Array> | null = null;
    let writing: Promise<void> | null = null;
    try {
      for (let next = pieces.next(), index = 0; next.done !== true; index++) {
        this.#checkAborted();
        const piece = next.value;
        const stored: Uint8Array = await (reading ?? this.#read(piece, index));
        next = pieces.next();
        reading = next.done === true ? null : withoutWarning(this.#read(next.value, index + 1));
        if (piece.firstRow === 0) this.#prepare(steps.slice(steps.indexOf(piece.step) + 1));
        const bytes = await this.#compute(piece, stored, index);
        await writing;
        writing = withoutWarning(this.#write(piece, bytes));
      }
      await writing;
      this.#checkAborted();
    } finally {
      // The files are closed afterwards.
      await Promise.allSettled([reading, writing]);
    }
  }

  /** Announce the next matrix, once the one before has begun, so that at most two are held. */
  #prepare(steps: readonly TransferStep[]): void {
    const next = steps.find(({ source, shape }) => source !== null && shape.length > 1);
    if (next?.source != null) this.#options.checkpoint.prepare?.(next.source.name);
  }

  *#pieces(steps: readonly TransferStep[]): Generator<Piece, undefined> {
    const { embeddingSize, headCount } = this.#options.checkpoint.config;
    const headSize = embeddingSize / headCount;
    for (const step of steps) {
      const { rows, rowLength } = rowsOf(step.shape);
      const most = Math.max(1, Math.floor(PIECE_WEIGHTS / rowLength));
      const cached = Math.max(CACHED_ROWS, Math.floor(CACHED_WEIGHTS / rowLength));
      // Whole heads, whose rows of q and k lie together in the source too.
      const unit = step.source !== null && isReordered(step.source.name) ? headSize : 1;
      const wanted = isFloatType(step.type) ? Math.min(most, Math.max(unit, cached)) : most;
      const perPiece = wanted > unit ? wanted - (wanted % unit) : wanted;
      for (let firstRow = 0; firstRow < rows; firstRow += perPiece) {
        yield { step, firstRow, rows: Math.min(perPiece, rows - firstRow), rowLength };
      }
    }
    return undefined;
  }

  #checkAborted(): void {
    const { signal, writer } = this.#options;
    if (signal?.aborted) {
      throw new CheckpointError('aborted', { file: writer.path }, 'the conversion was cancelled', {
        cause: signal.reason,
      });
    }
  }

  /** Stored bytes of the rows that become the target's, valid until the third call from here. */
  async #read({ step: { source }, firstRow, rows, rowLength }: Piece, index: number): Promise<Uint8Array> {
    if (source === null) return new Uint8Array(0);
    const bytes = rowBytes(source.type, rowLength);
    const target = this.#stored[index % this.#stored.length]!.subarray(0, rows * bytes);
    const { checkpoint } = this.#options;
    if (!isReordered(source.name)) {
      await checkpoint.readRows(source.name, firstRow, target);
      return target;
    }
    const runs = rowRuns((exported) => phi2RowToGptj(checkpoint.config, exported), firstRow, rows);
    const first = runs.reduce((least, { otherRow }) => Math.min(least, otherRow), Number.POSITIVE_INFINITY);
    const end = runs.reduce((most, run) => Math.max(most, run.otherRow + run.rows), 0);
    const areTogether = end - first === rows;
    this.#reordered ??= this.#takePiece();
    if (areTogether) await checkpoint.readRows(source.name, first, this.#reordered.subarray(0, rows * bytes));
    for (const run of runs) {
      const part = target.subarray((run.row - firstRow) * bytes, (run.row - firstRow + run.rows) * bytes);
      const from = (run.otherRow - first) * bytes;
      if (areTogether) part.set(this.#reordered.subarray(from, from + part.byteLength));
      else await checkpoint.readRows(source.name, run.otherRow, part);
    }
    return target;
  }

  /** Bytes of the target's rows, valid until the second call from here. */
  async #compute(piece: Piece, stored: Uint8Array, index: number): Promise<Uint8Array> {
    const { step, rows, rowLength } = piece;
    const { source } = step;
    const result = this.#results[index % this.#results.length]!.subarray(0, rows * rowBytes(step.type, rowLength));
    if (source === null) return result.fill(0);
    const numbers = this.#numbers.subarray(0, rows * rowLength);
    if (isFloatType(source.type)) {
      this.#checkFinite(piece, source, firstNonFinite(source.type, stored), stored);
      if (source.type === step.type) return this.#noteHalfExact(step, source, stored);
      decodeWeights(source.type, stored, numbers);
      this.#noteHalfExact(step, source, stored);
    } else {
      decodeWeights(source.type, stored, numbers);
      const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
      this.#checkFinite(piece, source, firstNonFinite('f32', bytes), stored);
      if (source.type === step.type) return stored;
    }
    if (!isFloatType(step.type)) return this.#quantise(step, step.type, numbers, rowLength, result.byteLength);
    const overflow = encodeWeights(step.type, numbers, result);
    if (overflow >= 0) {
      throw this.#outOfRange(
        piece,
        source,
        `expected weights that fit ${step.type}, got ${numbers[overflow]}`,
        overflow,
        '; use f32 or bf16',
      );
    }
    return result;
  }

  #checkFinite(piece: Piece, source: CheckpointTensor, index: number, stored: Uint8Array): void {
    if (index < 0) return;
    const numbers = this.#numbers.subarray(0, piece.rows * piece.rowLength);
    decodeWeights(source.type, stored, numbers);
    throw this.#outOfRange(piece, source, `expected finite weights, got ${numbers[index]}`, index, '');
  }

  #outOfRange(
    { firstRow, rowLength }: Piece,
    source: CheckpointTensor,
    fact: string,
    index: number,
    remedy: string,
  ): CheckpointError {
    const place = { file: this.#options.checkpoint.path, tensor: source.name };
    return new CheckpointError('out_of_range', place, `${fact} at index ${firstRow * rowLength + index}${remedy}`);
  }

  /** Only matrices count: vectors stay float32 in the target. */
  #noteHalfExact(step: TransferStep, source: CheckpointTensor, stored: Uint8Array): Uint8Array {
    if (source.type !== 'f32' || source.stored !== undefined || step.shape.length < 2 || this.isHalfExact === false) {
      return stored;
    }
    this.isHalfExact = isHalfExact(stored);
    return stored;
  }

  async #write(piece: Piece, bytes: Uint8Array): Promise<void> {
    const { writer, onProgress, signal } = this.#options;
    await writer.write(bytes, piece.step.name);
    if (signal?.aborted) return;
    onProgress?.({ doneBytes: writer.writtenBytes, totalBytes: writer.totalBytes, tensor: piece.step.name });
  }

  async #quantise(
    step: TransferStep,
    type: QuantisedType,
    rows: Float32Array,
    rowLength: number,
    sizeBytes: number,
  ): Promise<Uint8Array> {
    const { quantiser, importance } = this.#options;
    const columns = importance?.get(step.name) ?? null;
    const blocks = await quantiser?.quantise(type, rows, rowLength, columns);
    if (blocks?.byteLength !== sizeBytes) {
      throw new CheckpointError(
        'malformed',
        { file: this.#options.writer.path, tensor: step.name },
        `expected ${sizeBytes} bytes of ${type} for ${rows.length} weights, got ${blocks?.byteLength}`,
      );
    }
    return blocks;
  }
}

/** The same promise, whose failure is handled where it is awaited, later than it may occur. */
function withoutWarning<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
