/** Conversion of a checkpoint whose files of weights come one after the other, and may go when they have been converted. */
import { basename, join } from 'node:path';
import { type GrowingFile, readSmallJson } from '../bounded-file.ts';
import { checkTokenizer, droppedWarning } from '../check-tokenizer.ts';
import type { CheckpointTensor } from '../checkpoint.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { phi2Metadata } from '../gguf/phi2-export.ts';
import { folderModelName, openWeightsFile, readConfig } from '../hugging-face.ts';
import { checkQuantiser, checkReadable, planTensors, quantisedWarning } from '../plan-export.ts';
import type { Quantiser } from '../quantiser.ts';
import { FILE_TYPES, type Recipe } from '../recipe.ts';
import { readTokenizerFiles } from '../tokenizer-files.ts';
import { type ConvertProgress, type TransferStep, transferWeights } from '../transfer.ts';
import { PartialGguf, readPartialState } from './partial-gguf.ts';

export interface PartialConversionOptions {
  /** A Hugging Face folder with config and tokenizer, to which the files of weights come. */
  readonly folder: string;
  /** Path of the GGUF file. What an earlier process left beside it is gone on with. */
  readonly target: string;
  readonly type: Recipe;
  readonly quantiser?: Quantiser;
  readonly onProgress: (progress: ConvertProgress) => void;
  readonly onWarning: (message: string) => void;
  readonly signal: AbortSignal;
}

export interface PartialConversion {
  /** Whether the weights of a file are in the target for good, so that the file is not needed any more. */
  has(file: string): boolean;
  /**
   * Convert the weights of a complete file of the folder. The first one must have layer 0. Throws `CheckpointError`, with the
   * codes of `convertCheckpoint`; the conversion of the other files is not undone.
   */
  convert(file: string): Promise<void>;
  /**
   * Convert the only file of weights while it is written, in the order of its bytes. Counts as done when `verified` has
   * resolved; until then the next call begins anew. `signal` ends it, or a `growing` whose waits reject.
   */
  convertGrowing(
    file: string,
    growing: GrowingFile,
    until: { readonly verified: Promise<void>; readonly signal: AbortSignal },
  ): Promise<void>;
  /** Give the target its name. Throws `missing_tensor`. Its bytes are those of `convertCheckpoint` on the whole folder. */
  finish(): Promise<void>;
  /** What has been converted stays for the next process. */
  close(): Promise<void>;
}

/** The weight whose type stands for those of the source. */
const SAMPLE = 'transformer.h.0.attn.q_proj.weight';
const MAX_INDEX_BYTES = 16 * 1024 * 1024;

/**
 * Whether every file of weights can be converted by itself, by config and index; the name of the one to begin with. Null: a
 * weight may need numbers of another file.
 */
export async function isConvertedByFile(folder: string, index: string): Promise<{ readonly first: string } | null> {
  const { isTied } = await readConfig(join(folder, 'config.json'));
  const json = await readSmallJson(join(folder, index), MAX_INDEX_BYTES);
  const map: unknown = Reflect.get(Object(json), 'weight_map');
  const entries = Object.entries(Object(map));
  // Blocks of 8 bits have their tables as tensors of their own.
  if (isTied || entries.some(([name]) => /\.(?:absmax|code)$/.test(name))) return null;
  const first = entries.find(([name]) => SAMPLE.endsWith(name) && /^(?:transformer\.)?h\./.test(name))?.[1];
  return typeof first === 'string' ? { first } : null;
}

/** Throws `CheckpointError` for a config, a tokenizer or a type that no conversion takes. */
export async function openPartialConversion(options: PartialConversionOptions): Promise<PartialConversion> {
  const { folder, target, type, quantiser, onProgress, onWarning, signal } = options;
  const { config } = await readConfig(join(folder, 'config.json'));
  const { data: tokenizer, dropped } = await readTokenizerFiles(folder, config.vocabSize);
  checkTokenizer(folder, tokenizer);
  const { tensors } = planTensors(config, type);
  checkQuantiser(options, tensors);
  for (const warning of droppedWarning(dropped)) onWarning(warning);

  const openTarget = async (sourceType: string): Promise<PartialGguf> => {
    const modelName = folderModelName(folder);
    const fileType = FILE_TYPES[type];
    const metadata = phi2Metadata({ config, tokenizer, modelName, source: modelName, sourceType, fileType });
    checkReadable(target, metadata, tensors, tokenizer);
    return await PartialGguf.open(target, { sourceType, metadata, tensors });
  };
  const left = await readPartialState(target);
  let partial: PartialGguf | null = left === null ? null : await openTarget(left.sourceType);

  /** Of the tensors that a file has, those that no file of a later name gives, as transformers lets the last one count. */
  const stepsOf = (
    gguf: PartialGguf,
    file: string,
    sources: ReadonlyMap<string, CheckpointTensor>,
  ): readonly TransferStep[] =>
    tensors.flatMap(({ original, ...plan }) => {
      const source = sources.get(original ?? '');
      return source === undefined || (gguf.fileOf(plan.name) ?? '') > file ? [] : [{ ...plan, source }];
    });

  const convertFrom = async (
    file: string,
    { growing, verified, signal: until }: { growing: GrowingFile | null; verified: Promise<void>; signal: AbortSignal },
  ): Promise<void> => {
    const checkpoint = await openWeightsFile(folder, join(folder, file), { isPart: growing === null, growing });
    try {
      const sources = new Map(checkpoint.tensors.map((tensor) => [tensor.name, tensor]));
      const sample = sources.get(SAMPLE);
      if (partial === null && sample === undefined) {
        throw new CheckpointError('missing_tensor', { file, tensor: SAMPLE }, 'expected it, as the index says');
      }
      // A file that was not verified may have said another type.
      const isOther = sample !== undefined && partial?.files.length === 0 && partial.sourceType !== sample.type;
      if (isOther) {
        await partial?.close();
        partial = null;
      }
      partial ??= await openTarget(sample?.type ?? 'f32');
      for (const warning of [...checkpoint.warnings, ...quantisedWarning(sample)]) onWarning(warning);
      partial.begin();
      const steps = stepsOf(partial, file, sources);
      const inOrder = [...steps].sort((a, b) => (a.source?.position ?? 0) - (b.source?.position ?? 0));
      await transferWeights(growing === null ? steps : inOrder, {
        checkpoint,
        writer: partial,
        onProgress,
        signal: until,
        ...(quantiser === undefined ? {} : { quantiser }),
      });
      await verified;
      await partial.commit(
        file,
        steps.map(({ name }) => name),
      );
    } finally {
      await checkpoint.close();
    }
  };

  return {
    has: (file) => partial?.files.includes(basename(file)) ?? false,
    convert: (file) => convertFrom(file, { growing: null, verified: Promise.resolve(), signal }),
    convertGrowing: (file, growing, until) =>
      convertFrom(file, { growing, verified: until.verified, signal: AbortSignal.any([signal, until.signal]) }),
    async finish() {
      await partial?.finish(tensors.flatMap(({ name, original }) => (original === null ? [] : [name])));
      partial = null;
    },
    async close() {
      await partial?.close();
      partial = null;
    },
  };
}
