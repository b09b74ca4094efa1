import { type GptjConfig, parameterCount } from '@gptj-cloud/model';
import { BoundedFile } from './bounded-file.ts';
import { checkTokenizer, droppedWarning } from './check-tokenizer.ts';
import type { Checkpoint, CheckpointFormat } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { type GgufHeader, readGgufHeader } from './gguf/header.ts';
import { metadataNumber, metadataString } from './gguf/metadata.ts';
import { isPhi2Export } from './gguf/phi2-export.ts';
import { type OpenOptions, openCheckpoint, sourceKind } from './open-checkpoint.ts';
import { FILE_TYPES, RECIPES } from './recipe.ts';
import { elementCount } from './tensor-type.ts';

/** The report of `gptj inspect`. Plain data. */
export interface ModelReport {
  readonly path: string;
  readonly format: CheckpointFormat;
  /** See `Checkpoint`. */
  readonly form: string | null;
  readonly modelName: string;
  /** Null for a GGUF file that is not a GPT-J exported as phi2. */
  readonly config: GptjConfig | null;
  readonly parameters: number;
  /** Total size of all tensors, without headers. */
  readonly sizeBytes: number;
  /** The recipe of a GGUF file; null if its metadata do not state it. */
  readonly recipe: string | null;
  /** Hugging Face names; for other GGUF files the names in the file. */
  readonly tensors: readonly TensorReport[];
  readonly tokenizer: TokenizerReport | null;
  /** Scalar metadata of a GGUF file; empty for a folder. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

export interface TensorReport {
  readonly name: string;
  readonly shape: readonly number[];
  /** `f16`, `q4_K`, …; `ggml type 16` for an unsupported type. */
  readonly type: string;
  /** Null when the type is unknown. */
  readonly sizeBytes: number | null;
}

export interface TokenizerReport {
  readonly tokens: number;
  readonly merges: number;
  /** Tokens that are matched in the text itself, special ones included. */
  readonly addedTokens: number;
  readonly controlTokens: number;
  readonly unusedTokens: number;
}

/**
 * Describe a checkpoint in any form that is read, or any GGUF file. Throws `CheckpointError` for unreadable files; reasons why
 * the model cannot run or be converted are warnings.
 */
export async function inspectModel(path: string, options: OpenOptions = {}): Promise<ModelReport> {
  const header = (await sourceKind(path)) === 'gguf' ? await readHeader(path) : null;
  if (header !== null && !isPhi2Export(header.metadata)) return foreignReport(path, header);
  const checkpoint = await openCheckpoint(path, options);
  try {
    const warnings = [...checkpoint.warnings];
    return {
      path,
      format: checkpoint.format,
      form: checkpoint.form,
      modelName: checkpoint.modelName,
      config: checkpoint.config,
      parameters: parameterCount(checkpoint.config),
      sizeBytes: checkpoint.tensors.reduce(
        (sum, { stored, sizeBytes }) => sum + (stored ?? { sizeBytes }).sizeBytes,
        0,
      ),
      recipe: header === null ? null : recipeOf(header),
      tensors: checkpoint.tensors.map(({ name, shape, stored, type, sizeBytes }) => ({
        name,
        shape,
        ...(stored ?? { type, sizeBytes }),
      })),
      tokenizer: await tokenizerReport(checkpoint, warnings),
      metadata: header === null ? {} : scalars(header),
      warnings,
    };
  } finally {
    await checkpoint.close();
  }
}

async function readHeader(path: string): Promise<GgufHeader> {
  const file = await BoundedFile.open(path);
  try {
    return await readGgufHeader(file);
  } finally {
    await file.close();
  }
}

function foreignReport(path: string, header: GgufHeader): ModelReport {
  const architecture = metadataString(header.metadata, 'general.architecture') ?? 'unknown';
  return {
    path,
    format: 'gguf',
    form: null,
    modelName: metadataString(header.metadata, 'general.name') ?? '',
    config: null,
    parameters: header.tensors.reduce((sum, tensor) => sum + elementCount(tensor.shape), 0),
    sizeBytes: header.tensors.reduce((sum, tensor) => sum + (tensor.sizeBytes ?? 0), 0),
    recipe: recipeOf(header),
    tensors: header.tensors.map(({ name, shape, type, typeId, sizeBytes }) => ({
      name,
      shape,
      type: type ?? `ggml type ${typeId}`,
      sizeBytes,
    })),
    tokenizer: null,
    metadata: scalars(header),
    warnings: [`not a GPT-J written by \`gptj convert\` (architecture ${architecture}): it cannot be served`],
  };
}

async function tokenizerReport(checkpoint: Checkpoint, warnings: string[]): Promise<TokenizerReport | null> {
  try {
    const { data, dropped } = await checkpoint.readTokenizer();
    checkTokenizer(checkpoint.path, data);
    warnings.push(...droppedWarning(dropped));
    const { tokens, merges, addedTokens, unused } = data;
    return {
      tokens: tokens.length,
      merges: merges.length,
      addedTokens: addedTokens.length,
      controlTokens: addedTokens.filter(({ special }) => special).length,
      unusedTokens: unused.length,
    };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    warnings.push(`no usable tokenizer: ${error.message}`);
    return null;
  }
}

function recipeOf(header: GgufHeader): string | null {
  const fileType = metadataNumber(header.metadata, 'general.file_type');
  return RECIPES.find((recipe) => FILE_TYPES[recipe] === fileType) ?? null;
}

function scalars(header: GgufHeader): Readonly<Record<string, string>> {
  const pairs = [...header.metadata].flatMap(([key, entry]) =>
    entry.type === 'array' ? [] : [[key, String(entry.value)]],
  );
  return Object.fromEntries(pairs);
}
