import { dirname } from 'node:path';
import { checkTokenizer, droppedWarning } from './check-tokenizer.ts';
import type { Checkpoint } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import type { GgufMetadata, GgufValue } from './gguf/metadata.ts';
import { phi2Metadata } from './gguf/phi2-export.ts';
import { GgufWriter } from './gguf/writer.ts';
import type { ImportanceMatrix } from './importance.ts';
import { type OpenOptions, openCheckpoint } from './open-checkpoint.ts';
import { checkQuantiser, checkReadable, planTensors, quantisedWarning, type TypeFallback } from './plan-export.ts';
import type { Quantiser } from './quantiser.ts';
import { FILE_TYPES, type Recipe } from './recipe.ts';
import { rowsOf, type TensorType } from './tensor-type.ts';
import { type ConvertProgress, type TransferStep, transferWeights } from './transfer.ts';

export interface ConvertOptions {
  /** A checkpoint in any form that is read; see `openCheckpoint`. */
  readonly source: string;
  readonly open?: OpenOptions;
  /** Path of the GGUF file to write. */
  readonly target: string;
  readonly type: Recipe;
  /** Needed for every type but f32, f16 and bf16. */
  readonly quantiser?: Quantiser;
  /** Matrices that it has are quantised with it; the types q8_0, f16, bf16 and f32 do not use it. */
  readonly importance?: ImportanceMatrix;
  readonly onProgress?: (progress: ConvertProgress) => void;
  readonly signal?: AbortSignal;
  /** Replace `target` if it exists. Default false. */
  readonly overwrite?: boolean;
}

export interface ConvertSummary {
  /** Format and form of the source; see `Checkpoint`. */
  readonly source: Pick<Checkpoint, 'format' | 'form'>;
  readonly isSourceQuantised: boolean;
  readonly tensors: number;
  readonly writtenBytes: number;
  /** Number of tensors by type. */
  readonly types: Readonly<Partial<Record<TensorType, number>>>;
  /** Matrices that got a fallback type instead of the recipe's. */
  readonly fallbacks: readonly TypeFallback[];
  /** Whether float16 has every number of the source's float32 matrices, so that f16 loses nothing; null if none is float32. */
  readonly isHalfExact: boolean | null;
  readonly warnings: readonly string[];
  readonly durationMs: number;
}

/**
 * Export a GPT-J checkpoint as a GGUF file that llama.cpp runs.
 *
 * The whole source is checked before the first byte is written; the target appears under its name only when it is
 * complete and on the disk. Throws `CheckpointError`: the errors of the readers, `unsupported` without a quantiser,
 * `out_of_range` when a weight is not finite or too large for f16, `target_exists`, `disk_full`, `aborted`. Nothing is left behind.
 */
export async function convertCheckpoint(options: ConvertOptions): Promise<ConvertSummary> {
  const startedMs = performance.now();
  const checkpoint = await openCheckpoint(options.source, {
    spoolFolder: dirname(options.target),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...options.open,
  });
  try {
    const { tensors, fallbacks } = planTensors(checkpoint.config, options.type);
    const sources = new Map(checkpoint.tensors.map((tensor) => [tensor.name, tensor]));
    const steps = tensors.map(
      ({ original, ...plan }): TransferStep => ({ ...plan, source: sources.get(original ?? '') ?? null }),
    );
    checkQuantiser(options, steps);
    checkImportance(options, steps);
    const sample = checkpoint.tensors.find(({ name }) => name.endsWith('.q_proj.weight'));
    const sourceType = sample?.type ?? 'f32';
    const quantised = quantisedWarning(sample);
    const { data: tokenizer, dropped } = await checkpoint.readTokenizer();
    checkTokenizer(checkpoint.path, tokenizer);
    const metadata = new Map([
      ...phi2Metadata({
        config: checkpoint.config,
        tokenizer,
        modelName: checkpoint.modelName,
        source: checkpoint.modelName,
        sourceType,
        fileType: FILE_TYPES[options.type],
      }),
      ...importanceMetadata(options.importance),
    ]);
    checkReadable(options.target, metadata, steps, tokenizer);
    const writer = await GgufWriter.create(options.target, {
      metadata,
      tensors: steps,
      overwrite: options.overwrite ?? false,
    });
    let isHalfExact: boolean | null;
    try {
      ({ isHalfExact } = await transferWeights(steps, {
        checkpoint,
        writer,
        ...options,
        importance: meanSquares(options.importance),
      }));
      await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    }
    const types: Partial<Record<TensorType, number>> = {};
    for (const { type } of steps) types[type] = (types[type] ?? 0) + 1;
    return {
      source: { format: checkpoint.format, form: checkpoint.form },
      isSourceQuantised: quantised.length > 0,
      tensors: steps.length,
      writtenBytes: writer.writtenBytes,
      types,
      fallbacks,
      isHalfExact,
      warnings: [...checkpoint.warnings, ...droppedWarning(dropped), ...quantised],
      durationMs: performance.now() - startedMs,
    };
  } finally {
    await checkpoint.close();
  }
}

/** The matrix must be of a model of this shape. */
function checkImportance({ importance, target }: ConvertOptions, steps: readonly TransferStep[]): void {
  if (importance === undefined) return;
  const byName = new Map(steps.map((step) => [step.name, step]));
  for (const [name, { squares }] of importance.entries) {
    const step = byName.get(name);
    const columns = step === undefined ? null : rowsOf(step.shape).rowLength;
    if (columns === squares.length) continue;
    throw new CheckpointError(
      'wrong_shape',
      { file: target, tensor: name },
      `expected an importance matrix of this model (${columns === null ? 'no such matrix' : `${columns} columns`}), got ${squares.length} columns`,
    );
  }
}

/** As llama.cpp's llama-quantize records it. */
function importanceMetadata(importance: ImportanceMatrix | undefined): GgufMetadata {
  if (importance === undefined) return new Map();
  return new Map<string, GgufValue>([
    ['quantize.imatrix.entries_count', { type: 'uint32', value: importance.entries.size }],
    ['quantize.imatrix.chunks_count', { type: 'uint32', value: importance.chunkCount }],
  ]);
}

function meanSquares(importance: ImportanceMatrix | undefined): ReadonlyMap<string, Float32Array> {
  return new Map(
    [...(importance?.entries ?? [])].map(([name, { squares, rows }]) => [name, squares.map((sum) => sum / rows)]),
  );
}
