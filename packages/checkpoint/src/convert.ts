import type { GptjConfig } from '@gptj-cloud/model';
import { checkTokenizer, droppedWarning } from './check-tokenizer.ts';
import type { Checkpoint, CheckpointTensor } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { MAX_HEADER_BYTES } from './gguf/header.ts';
import { type GgufTensorPlan, ggufHeaderBytes } from './gguf/header-bytes.ts';
import type { GgufMetadata } from './gguf/metadata.ts';
import { phi2Metadata, phi2Tensors, readGptjConfig } from './gguf/phi2-export.ts';
import { isReordered, phi2RowToGptj, rowRuns } from './gguf/row-order.ts';
import { readTokenizerData } from './gguf/tokenizer-metadata.ts';
import { GgufWriter } from './gguf/writer.ts';
import { openCheckpoint } from './open-checkpoint.ts';
import type { Quantiser } from './quantiser.ts';
import { FILE_TYPES, type Recipe, tensorType } from './recipe.ts';
import { decodeWeights, encodeWeights } from './tensor-codec.ts';
import { isFloatType, type QuantisedType, rowBytes, rowsOf, TENSOR_TYPES, type TensorType } from './tensor-type.ts';

export interface ConvertOptions {
  /** Hugging Face folder, or a phi2 export (GGUF). */
  readonly source: string;
  /** Path of the GGUF file to write. */
  readonly target: string;
  readonly type: Recipe;
  /** Needed for every type but f32, f16 and bf16. */
  readonly quantiser?: Quantiser;
  readonly onProgress?: (progress: ConvertProgress) => void;
  readonly signal?: AbortSignal;
  /** Replace `target` if it exists. Default false. */
  readonly overwrite?: boolean;
}

/** Bytes of the target file. */
export interface ConvertProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** GGUF name of the tensor being written. */
  readonly tensor: string;
}

export interface ConvertSummary {
  readonly tensors: number;
  readonly writtenBytes: number;
  /** Number of tensors by type. */
  readonly types: Readonly<Partial<Record<TensorType, number>>>;
  /** Matrices that got a fallback type instead of the recipe's. */
  readonly fallbacks: readonly TypeFallback[];
  readonly warnings: readonly string[];
  readonly durationMs: number;
}

export interface TypeFallback {
  readonly tensor: string;
  readonly wanted: TensorType;
  readonly used: TensorType;
  readonly rowLength: number;
}

/**
 * Number of weights per chunk. With one buffer each for the stored bytes, the numbers and the result: 24 MiB for any
 * model. A row is at most 2^20 weights (the bound of the config), so it always fits.
 */
const PIECE_WEIGHTS = 2 * 1024 * 1024;

/** One tensor of the target and what it is made from. */
interface Step extends GgufTensorPlan {
  /** Null for the zero biases of the phi2 export. */
  readonly source: CheckpointTensor | null;
}

/**
 * Export a GPT-J checkpoint as a GGUF file that llama.cpp runs.
 *
 * The whole source is checked before the first byte is written; the target appears under its name only when it is
 * complete and on the disk. Throws `CheckpointError`: the errors of the readers, `unsupported` without a quantiser,
 * `out_of_range` when a weight is too large for f16, `target_exists`, `disk_full`, `aborted`. Nothing is left behind.
 */
export async function convertCheckpoint(options: ConvertOptions): Promise<ConvertSummary> {
  const startedMs = performance.now();
  const checkpoint = await openCheckpoint(options.source);
  try {
    const { steps, fallbacks } = planSteps(checkpoint, options.type);
    checkQuantiser(options, steps);
    const sourceType = checkpoint.tensors.find(({ name }) => name.endsWith('.q_proj.weight'))?.type ?? 'f32';
    const { data: tokenizer, dropped } = await checkpoint.readTokenizer();
    checkTokenizer(checkpoint.path, tokenizer);
    const metadata = phi2Metadata({
      config: checkpoint.config,
      tokenizer,
      modelName: checkpoint.modelName,
      source: checkpoint.modelName,
      sourceType,
      fileType: FILE_TYPES[options.type],
    });
    checkReadable(options.target, metadata, steps);
    const writer = await GgufWriter.create(options.target, {
      metadata,
      tensors: steps,
      overwrite: options.overwrite ?? false,
    });
    try {
      const transfer = new Transfer(checkpoint, writer, options);
      for (const step of steps) await transfer.run(step);
      await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    }
    const types: Partial<Record<TensorType, number>> = {};
    for (const { type } of steps) types[type] = (types[type] ?? 0) + 1;
    return {
      tensors: steps.length,
      writtenBytes: writer.writtenBytes,
      types,
      fallbacks,
      warnings: [
        ...checkpoint.warnings,
        ...droppedWarning(dropped),
        ...(isFloatType(sourceType)
          ? []
          : [`the source is quantised already (${sourceType}): the result keeps its rounding errors`]),
      ],
      durationMs: performance.now() - startedMs,
    };
  } finally {
    await checkpoint.close();
  }
}

function planSteps(
  checkpoint: Checkpoint,
  recipe: Recipe,
): { steps: readonly Step[]; fallbacks: readonly TypeFallback[] } {
  const { config } = checkpoint;
  const sources = new Map(checkpoint.tensors.map((tensor) => [tensor.name, tensor]));
  const fallbacks: TypeFallback[] = [];
  const steps = phi2Tensors(config).map(({ name, shape, original }): Step => {
    const source = original === null ? null : (sources.get(original) ?? null);
    if (shape.length < 2) return { name, shape, type: 'f32', source };
    const { rowLength } = rowsOf(shape);
    const layer = /^blk\.(\d+)\./.exec(name)?.[1];
    const { wanted, used } = tensorType(
      recipe,
      name,
      layer === undefined ? null : Number(layer),
      config.layerCount,
      rowLength,
    );
    if (wanted !== used) fallbacks.push({ tensor: name, wanted, used, rowLength });
    return { name, shape, type: used, source };
  });
  return { steps, fallbacks };
}

/** Check the metadata with the reader before writing: a conversion may take half an hour. */
function checkReadable(target: string, metadata: GgufMetadata, steps: readonly Step[]): void {
  const tensors = steps.map(({ name, shape, type }) => ({
    name,
    shape,
    type,
    typeId: TENSOR_TYPES[type].id,
    offset: 0,
    sizeBytes: 0,
  }));
  readGptjConfig(target, { metadata, tensors });
  checkTokenizer(target, readTokenizerData(target, { metadata, tensors }));
  const headerBytes = ggufHeaderBytes(metadata, steps).byteLength;
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new CheckpointError(
      'too_large',
      { file: target },
      `expected metadata of at most ${MAX_HEADER_BYTES} bytes, got ${headerBytes}`,
    );
  }
}

/** Refuse a library whose block sizes differ from those in the header. */
function checkQuantiser({ target, type: recipe, quantiser }: ConvertOptions, steps: readonly Step[]): void {
  for (const { type, name } of steps) {
    if (isFloatType(type)) continue;
    const place = { file: target, tensor: name };
    if (quantiser === undefined) {
      throw new CheckpointError('unsupported', place, `expected a quantiser for type ${recipe}, got none`);
    }
    const { blockSize, blockBytes } = TENSOR_TYPES[type];
    if (quantiser.blockSize(type) !== blockSize || quantiser.typeSize(type) !== blockBytes) {
      throw new CheckpointError(
        'unsupported',
        place,
        `expected ${type} blocks of ${blockSize} weights in ${blockBytes} bytes, got ${quantiser.blockSize(type)} in ${quantiser.typeSize(type)}`,
      );
    }
  }
}

/** Copies tensors from the source to the target in chunks, through reused buffers. */
class Transfer {
  readonly #checkpoint: Checkpoint;
  readonly #config: GptjConfig;
  readonly #writer: GgufWriter;
  readonly #options: ConvertOptions;
  readonly #stored = new Uint8Array(4 * PIECE_WEIGHTS);
  readonly #numbers = new Float32Array(PIECE_WEIGHTS);
  readonly #result = new Uint8Array(4 * PIECE_WEIGHTS);

  constructor(checkpoint: Checkpoint, writer: GgufWriter, options: ConvertOptions) {
    this.#checkpoint = checkpoint;
    this.#config = checkpoint.config;
    this.#writer = writer;
    this.#options = options;
  }

  async run(step: Step): Promise<void> {
    const { rows, rowLength } = rowsOf(step.shape);
    const rowsPerPiece = Math.max(1, Math.floor(PIECE_WEIGHTS / rowLength));
    for (let row = 0; row < rows; row += rowsPerPiece) {
      const count = Math.min(rowsPerPiece, rows - row);
      this.#checkAborted();
      await this.#writer.write(await this.#piece(step, row, count, rowLength));
      this.#options.onProgress?.({
        doneBytes: this.#writer.writtenBytes,
        totalBytes: this.#writer.totalBytes,
        tensor: step.name,
      });
    }
    this.#checkAborted();
  }

  #checkAborted(): void {
    const { signal, target } = this.#options;
    if (signal?.aborted) {
      throw new CheckpointError('aborted', { file: target }, 'the conversion was cancelled', { cause: signal.reason });
    }
  }

  /** Bytes of the target's rows `row` to `row + count`, valid until the next call. */
  async #piece(step: Step, row: number, count: number, rowLength: number): Promise<Uint8Array> {
    const result = this.#result.subarray(0, count * rowBytes(step.type, rowLength));
    const { source } = step;
    if (source === null) return result.fill(0);
    const stored = this.#stored.subarray(0, count * rowBytes(source.type, rowLength));
    await this.#readRows(source, row, count, stored);
    if (source.type === step.type) return stored;
    const numbers = this.#numbers.subarray(0, count * rowLength);
    decodeWeights(source.type, stored, numbers);
    if (!isFloatType(step.type)) return this.#quantise(step, step.type, numbers, rowLength, result.byteLength);
    const overflow = encodeWeights(step.type, numbers, result);
    if (overflow >= 0) {
      const place = { file: this.#options.source, tensor: source.name };
      throw new CheckpointError(
        'out_of_range',
        place,
        `expected weights that fit ${step.type}, got ${numbers[overflow]} at index ${row * rowLength + overflow}; use f32 or bf16`,
      );
    }
    return result;
  }

  async #readRows(source: CheckpointTensor, row: number, count: number, target: Uint8Array): Promise<void> {
    if (!isReordered(source.name)) {
      await this.#checkpoint.readRows(source.name, row, target);
      return;
    }
    const bytes = target.byteLength / count;
    for (const run of rowRuns((exported) => phi2RowToGptj(this.#config, exported), row, count)) {
      const start = (run.row - row) * bytes;
      await this.#checkpoint.readRows(source.name, run.otherRow, target.subarray(start, start + run.rows * bytes));
    }
  }

  async #quantise(
    step: Step,
    type: QuantisedType,
    rows: Float32Array,
    rowLength: number,
    sizeBytes: number,
  ): Promise<Uint8Array> {
    const blocks = await this.#options.quantiser?.quantise(type, rows, rowLength);
    if (blocks?.byteLength !== sizeBytes) {
      throw new CheckpointError(
        'malformed',
        { file: this.#options.target, tensor: step.name },
        `expected ${sizeBytes} bytes of ${type} for ${rows.length} weights, got ${blocks?.byteLength}`,
      );
    }
    return blocks;
  }
}
