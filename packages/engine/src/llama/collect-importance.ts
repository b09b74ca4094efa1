import { type ImportanceMatrix, openGgufWeights } from '@gptj-cloud/checkpoint';
import { type GptjConfig, type LanguageModel, ModelError, type TokenId } from '@gptj-cloud/model';
import { createTokenizer } from '@gptj-cloud/tokenizer';
import { openLlamaWeights } from './llama-weights.ts';
import { watchProducts } from './native-tensors.ts';

export interface CollectImportanceOptions {
  /** A GGUF file that `gptj convert` wrote; the more precise, the better. */
  readonly path: string;
  readonly text: string;
  /** Tokens of a chunk. */
  readonly context: number;
  /** Chunks at most; null: the whole text. */
  readonly maxChunks: number | null;
  readonly threads?: number;
  readonly onChunk?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Run a text through a model and sum the squares of what enters each matrix of its layers, by column: errors of weights in
 * columns with large inputs cost more. The embedding and the LM head are left out, as in llama.cpp's llama-imatrix.
 *
 * llama.cpp computes it, on the CPU. Throws the errors of `openLlamaWeights`, `engine_failed`, `aborted`, `invalid_config` for a
 * text or a context of the wrong length.
 */
export async function collectImportance(options: CollectImportanceOptions): Promise<ImportanceMatrix> {
  const { path, threads, onChunk, signal } = options;
  const { config, chunks } = await cutText(options);
  const sums = new Map<string, { squares: Float32Array; rows: number }>();
  const watch = watchProducts(
    (weight) => /^blk\.\d+\.(?:attn_(?:q|k|v|output)|ffn_(?:up|down))\.weight$/.test(weight),
    (weight, input, rowLength) => {
      const entry = sums.get(weight) ?? { squares: new Float32Array(rowLength), rows: 0 };
      sums.set(weight, entry);
      const { squares } = entry;
      for (let at = 0; at < input.length; ) {
        for (let column = 0; column < rowLength; column++, at++) squares[column]! += input[at]! * input[at]!;
      }
      entry.rows += input.length / rowLength;
    },
  );
  let model: LanguageModel | null = null;
  const weights = openLlamaWeights({ path, config, onCpu: true, ...(threads === undefined ? {} : { threads }) });
  try {
    model = weights.openModel({ cacheCells: options.context, evalCallback: watch.callback });
    for (const [i, tokens] of chunks.entries()) {
      const sequence = model.open();
      // Where only some positions are scored, the last layer computes only those.
      await model.evaluate([{ sequence, tokens, scored: 'all' }], signal);
      watch.check();
      model.release(sequence);
      onChunk?.(i + 1, chunks.length);
    }
  } finally {
    await model?.close();
    weights.close();
    watch.free();
  }
  if (sums.size === 0) throw new ModelError('engine_failed', `${path}: llama.cpp reported no matrix products`);
  return { chunkCount: chunks.length, chunkSize: options.context, entries: sums };
}

async function cutText({ path, text, context, maxChunks }: CollectImportanceOptions): Promise<{
  readonly config: GptjConfig;
  readonly chunks: readonly (readonly TokenId[])[];
}> {
  const file = await openGgufWeights(path);
  try {
    const { config } = file;
    const tokens = createTokenizer(file.tokenizer).encode(text, { splitSpecialTokens: true });
    const count = Math.min(Math.floor(tokens.length / context), maxChunks ?? Number.POSITIVE_INFINITY);
    if (context > config.contextLength) {
      throw new ModelError('invalid_config', `expected a context of at most ${config.contextLength}, got ${context}`);
    }
    if (count === 0) {
      throw new ModelError('invalid_config', `expected at least ${context} tokens of text, got ${tokens.length}`);
    }
    return {
      config,
      chunks: Array.from({ length: count }, (_, i) => tokens.slice(i * context, (i + 1) * context)),
    };
  } finally {
    await file.close();
  }
}
