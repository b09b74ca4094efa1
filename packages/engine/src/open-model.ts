import { openGgufWeights, TOKEN_TYPE, type TokenizerData } from '@gptj-cloud/checkpoint';
import type { LanguageModel } from '@gptj-cloud/model';
import { createTokenizer, type Tokenizer } from '@gptj-cloud/tokenizer';
import type { EngineInfo } from './engine.ts';
import { openLlamaModel } from './llama/llama-model.ts';
import { openReferenceModel } from './reference/reference-model.ts';

/** Which implementation of `LanguageModel`. */
export type EngineKind = 'llama' | 'reference';

export interface OpenModelOptions {
  /** A GGUF file that `gptj convert` wrote. */
  readonly path: string;
  /** Default `llama`. */
  readonly kind?: EngineKind;
  /** llama only. Default: one per physical core. */
  readonly threads?: number;
  /** Positions of KV cache over all sequences. Default: what memory allows, at least one full context. */
  readonly cacheCells?: number;
  /** llama only. Default `f16`. */
  readonly cacheType?: 'f16' | 'f32';
  /** llama with a GPU library only. Default: all layers. */
  readonly gpuLayers?: number;
}

export interface OpenModel {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly info: EngineInfo;
}

/** The tokenizer of a GGUF file, without its weights. */
export async function openTokenizer(path: string): Promise<Tokenizer> {
  const file = await openGgufWeights(path);
  try {
    return tokenizerOf(file.tokenizer);
  } finally {
    await file.close();
  }
}

/** A GGUF file's token types as the tokenizer wants them. */
function tokenizerOf({ tokens, merges, tokenTypes }: TokenizerData): Tokenizer {
  const idsOf = (type: number): number[] => tokenTypes.flatMap((candidate, id) => (candidate === type ? [id] : []));
  return createTokenizer({ tokens, merges, special: idsOf(TOKEN_TYPE.control), unused: idsOf(TOKEN_TYPE.unused) });
}

/** Load a model into this process. Throws what the engines throw, and `CheckpointError` for a file that is no lifted GPT-J. */
export async function openModel(options: OpenModelOptions): Promise<OpenModel> {
  const { path, kind = 'llama' } = options;
  const startedAt = performance.now();
  const file = await openGgufWeights(path);
  try {
    const tokenizer = tokenizerOf(file.tokenizer);
    const { config } = file;
    const cells = options.cacheCells === undefined ? {} : { cacheCells: options.cacheCells };
    const llama = kind === 'llama' ? openLlamaModel({ ...options, config }) : null;
    const model = llama ?? (await openReferenceModel({ weights: file, ...cells }));
    const info: EngineInfo = {
      kind,
      modelName: file.modelName,
      quantisation: llama?.quantisation ?? 'F32',
      config,
      cacheCells: model.limits.cacheCells,
      loadMs: performance.now() - startedAt,
    };
    return { model, tokenizer, info };
  } finally {
    await file.close();
  }
}
