import { openGgufWeights, TOKEN_TYPE, type TokenizerData, type Weights } from '@gptj-cloud/checkpoint';
import { type GptjConfig, type LanguageModel, ModelError } from '@gptj-cloud/model';
import { createTokenizer, plainAddedToken, type Tokenizer } from '@gptj-cloud/tokenizer';
import type { EngineInfo } from './engine.ts';
import { openLlamaWeights } from './llama/llama-weights.ts';
import { loadLlama } from './llama/native.ts';
import { fingerprintModel } from './prefix-store/model-fingerprint.ts';
import { openPrefixStore, type PrefixStore } from './prefix-store/prefix-store.ts';
import { openReferenceModel } from './reference/reference-model.ts';

/** Which implementation of `LanguageModel`. */
export type EngineKind = 'llama' | 'reference';

export interface OpenModelOptions {
  /** A GGUF file that `gptj convert` wrote. */
  readonly path: string;
  /** Default `llama`. */
  readonly kind?: EngineKind;
  /** llama only. Default: one per physical core, or fewer while others want them. */
  readonly threads?: number;
  /** Positions of KV cache over all sequences. Default: what memory allows, at least one full context. */
  readonly cacheCells?: number;
  /** llama only. Default `f16`. */
  readonly cacheType?: 'f16' | 'f32';
  /** llama with a GPU library only. Default: all layers. */
  readonly gpuLayers?: number;
  /** Keep the beginnings of prompts that are used again and again on disk. Default: they end with the process. */
  readonly persistedPrefixes?: {
    /** A folder of their own; made when it is not there. */
    readonly folder: string;
    readonly maxBytes: number;
  };
}

export interface OpenModel {
  readonly model: LanguageModel;
  /**
   * Opens a second model over the same weights, with a small cache of its own; null when the model's numbers never
   * depend on what else it computes.
   */
  readonly openTwin: (() => LanguageModel) | null;
  /** Close the model and let go of its weights. Idempotent. */
  close(): Promise<void>;
  readonly tokenizer: Tokenizer;
  readonly info: EngineInfo;
  /** Where beginnings of prompts outlive the process; null: nowhere. */
  readonly prefixStore: PrefixStore | null;
  /** What the operator should know, one line each: why a GPU is not used. */
  readonly warnings: readonly string[];
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

/** Files written before 2026-12 call GPT-J's own added tokens unused. */
const EXTRA_TOKEN = /^<\|extratoken_\d+\|>$/;

/** The tokenizer that a GGUF file's token types describe. */
function tokenizerOf({ tokens, merges, tokenTypes }: TokenizerData): Tokenizer {
  const addedTokens = tokens.flatMap((content, id) => {
    const type = tokenTypes[id];
    const isAdded =
      type === TOKEN_TYPE.control ||
      type === TOKEN_TYPE.userDefined ||
      (type === TOKEN_TYPE.unused && EXTRA_TOKEN.test(content));
    return isAdded ? [plainAddedToken(id, content, type === TOKEN_TYPE.control)] : [];
  });
  const added = new Set(addedTokens.map((token) => token.id));
  const unused = tokenTypes.flatMap((type, id) => (type === TOKEN_TYPE.unused && !added.has(id) ? [id] : []));
  return createTokenizer({ tokens, merges, addedTokens, unused });
}

/** Load a model into this process. Throws what the engines throw, and `CheckpointError` for a file that is no lifted GPT-J. */
export async function openModel(options: OpenModelOptions): Promise<OpenModel> {
  const { path, kind = 'llama' } = options;
  const startedAt = performance.now();
  const file = await openGgufWeights(path);
  try {
    const tokenizer = tokenizerOf(file.tokenizer);
    const { config } = file;
    const prefixStore = await openPrefixes(options);
    const { quantisation, ...opened } =
      kind === 'llama' ? openLlama(options, config) : await openReference(options, file);
    const info: EngineInfo = {
      kind,
      modelName: file.modelName,
      quantisation,
      config,
      cacheCells: opened.model.limits.cacheCells,
      earlyExitLayers: opened.model.capabilities.earlyExit ? config.layerCount : null,
      loadMs: performance.now() - startedAt,
    };
    return { ...opened, tokenizer, info, prefixStore };
  } finally {
    await file.close();
  }
}

async function openPrefixes(options: OpenModelOptions): Promise<PrefixStore | null> {
  const { path, kind = 'llama', cacheType = 'f16', persistedPrefixes } = options;
  if (persistedPrefixes === undefined) return null;
  const library = kind === 'llama' ? loadLlama().version : '';
  const model = await fingerprintModel(path, { kind, library, cacheType });
  try {
    return await openPrefixStore({ ...persistedPrefixes, model });
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new ModelError('invalid_config', `expected a folder to keep prefixes in, or to be made: ${reason}`, {
      cause,
    });
  }
}

type Opened = Pick<OpenModel, 'model' | 'openTwin' | 'close' | 'warnings'> & { readonly quantisation: string };

function openLlama(options: OpenModelOptions, config: GptjConfig): Opened {
  const weights = openLlamaWeights({ ...options, config });
  try {
    const { quantisation, warnings } = weights;
    const model = weights.openModel(options);
    const twinCells = Math.min(model.limits.cacheCells, 2 * config.contextLength);
    const openTwin = (): LanguageModel => weights.openModel({ ...options, cacheCells: twinCells, exact: true });
    return {
      model,
      openTwin,
      quantisation,
      warnings,
      async close() {
        await model.close();
        weights.close();
      },
    };
  } catch (error) {
    weights.close();
    throw error;
  }
}

async function openReference({ cacheCells }: OpenModelOptions, weights: Weights): Promise<Opened> {
  const model = await openReferenceModel({ weights, ...(cacheCells === undefined ? {} : { cacheCells }) });
  return { model, openTwin: null, quantisation: 'F32', warnings: [], close: () => model.close() };
}
