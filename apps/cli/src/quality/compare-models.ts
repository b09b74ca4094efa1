import { type EngineKind, type OpenModel, openModel } from '@gptj-cloud/engine';
import type { LanguageModel, SequenceId, TokenId } from '@gptj-cloud/model';
import { compareRows, type TokenComparison } from './compare-rows.ts';

/** Rows of logits that are in memory at once: 26 MB for each model. */
const ROWS_AT_ONCE = 128;

export interface Comparison {
  readonly reference: MeasuredModel;
  readonly model: MeasuredModel;
  /** By chunk of text, in its order. */
  readonly chunks: readonly (readonly TokenComparison[])[];
}

export interface MeasuredModel {
  readonly path: string;
  readonly modelName: string;
  /** As the engine names it: `Q8_0`. */
  readonly quantisation: string;
  readonly engine: string;
}

export interface CompareOptions {
  readonly referencePath: string;
  readonly path: string;
  readonly text: string;
  /** Tokens of a chunk. The first half is context alone; the tokens of the second half are scored. */
  readonly context: number;
  /** Chunks at most; null: the whole text. */
  readonly maxChunks: number | null;
  /** Null: the fastest for each model. */
  readonly kind: EngineKind | null;
  readonly threads: number | null;
  readonly checksMemory: boolean;
  readonly onChunk: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Evaluate a text with two models in turn and compare their predictions. The text is cut into chunks as llama.cpp's
 * llama-perplexity cuts it, so that figures can be compared. Throws where the vocabularies differ or the text is too
 * short, and the errors of the engines.
 */
export async function compareModels(options: CompareOptions): Promise<Comparison> {
  const reference = await open(options, options.referencePath);
  try {
    const other = await open(options, options.path);
    try {
      const tokens = sharedTokens(reference, other, options);
      const cut = cutChunks(tokens, options);
      const chunks: (readonly TokenComparison[])[] = [];
      for (const chunk of cut) {
        chunks.push(await compareChunk(reference.model, other.model, chunk, options.signal));
        options.onChunk(chunks.length, cut.length);
      }
      return {
        reference: describe(options.referencePath, reference),
        model: describe(options.path, other),
        chunks,
      };
    } finally {
      await other.close();
    }
  } finally {
    await reference.close();
  }
}

async function open({ context, kind, threads, checksMemory }: CompareOptions, path: string): Promise<OpenModel> {
  const opened = await openModel({
    path,
    cacheCells: context,
    contextLength: context,
    checksMemory,
    ...(kind === null ? {} : { kind }),
    ...(threads === null ? {} : { threads }),
  });
  if (opened.model.config.contextLength >= context) return opened;
  await opened.close();
  throw new Error(`${path}: expected a context of at least ${context} tokens, got ${opened.info.config.contextLength}`);
}

function describe(path: string, { info }: OpenModel): MeasuredModel {
  const { modelName, quantisation, kind, backend } = info;
  return { path, modelName, quantisation, engine: backend === 'cpu' ? kind : `${kind} (${backend})` };
}

/** The text's tokens, which must be those of both models. */
function sharedTokens(reference: OpenModel, other: OpenModel, options: CompareOptions): readonly TokenId[] {
  const [a, b] = [reference.info.config.vocabSize, other.info.config.vocabSize];
  const tokens = reference.tokenizer.encode(options.text, { splitSpecialTokens: true });
  const others = other.tokenizer.encode(options.text, { splitSpecialTokens: true });
  if (a === b && tokens.length === others.length && tokens.every((token, i) => token === others[i])) return tokens;
  const got = a === b ? 'the same text has other tokens' : `${b} vocabulary entries instead of ${a}`;
  throw new Error(`${options.path}: expected the vocabulary of ${options.referencePath}, got ${got}`);
}

function cutChunks(
  tokens: readonly TokenId[],
  { context, maxChunks }: CompareOptions,
): readonly (readonly TokenId[])[] {
  const whole = Math.floor(tokens.length / context);
  if (whole === 0) {
    throw new Error(
      `the text has ${tokens.length} tokens, expected at least ${context}, one chunk: give a longer text, or a smaller --context`,
    );
  }
  return Array.from({ length: Math.min(whole, maxChunks ?? whole) }, (_, i) =>
    tokens.slice(i * context, (i + 1) * context),
  );
}

async function compareChunk(
  reference: LanguageModel,
  other: LanguageModel,
  tokens: readonly TokenId[],
  signal: AbortSignal,
): Promise<readonly TokenComparison[]> {
  const sequences: readonly [SequenceId, SequenceId] = [reference.open(), other.open()];
  const compared: TokenComparison[] = [];
  try {
    const half = tokens.length / 2;
    await reference.evaluate([{ sequence: sequences[0], tokens: tokens.slice(0, half), scored: 'none' }], signal);
    await other.evaluate([{ sequence: sequences[1], tokens: tokens.slice(0, half), scored: 'none' }], signal);
    // The last token of the chunk has no successor.
    for (let from = half; from < tokens.length - 1; from += ROWS_AT_ONCE) {
      const piece = tokens.slice(from, Math.min(from + ROWS_AT_ONCE, tokens.length - 1));
      const a = await reference.evaluate([{ sequence: sequences[0], tokens: piece, scored: 'all' }], signal);
      const b = await other.evaluate([{ sequence: sequences[1], tokens: piece, scored: 'all' }], signal);
      for (const i of piece.keys()) {
        compared.push(compareRows(a[0]!.logits[i]!, b[0]!.logits[i]!, tokens[from + i + 1]!));
      }
    }
  } finally {
    reference.release(sequences[0]);
    other.release(sequences[1]);
  }
  return compared;
}
