import { ModelError } from './model-error.ts';
import type { TokenId } from './token.ts';

/** The shape of a GPT-J and the ids of its special tokens. */
export interface GptjConfig {
  /** Rows of the embedding and of the LM head (50400 for GPT-J, of which 50257 are in the vocabulary). */
  readonly vocabSize: number;
  /** Maximum number of positions of one sequence (`n_positions`, 2048). */
  readonly contextLength: number;
  /** Width of the residual stream (`n_embd`, 4096 for 6B). */
  readonly embeddingSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  /** Leading dimensions of each head to which rotary embedding applies, in interleaved pairs (64 for 6B). */
  readonly rotaryDim: number;
  /** Width of the MLP (`n_inner`, default 4 × embeddingSize). */
  readonly feedForwardSize: number;
  readonly layerNormEpsilon: number;
  /** Null where config.json has none, or an id past the vocabulary. */
  readonly bosTokenId: TokenId | null;
  /** The first of {@link eosTokenIds}; null if that is empty. */
  readonly eosTokenId: TokenId | null;
  /** Tokens that end a generation. If empty, only the length limit ends it. */
  readonly eosTokenIds: readonly TokenId[];
}

/** EleutherAI/gpt-j-6b. */
export const GPTJ_6B: GptjConfig & { readonly bosTokenId: TokenId; readonly eosTokenId: TokenId } = {
  vocabSize: 50400,
  contextLength: 2048,
  embeddingSize: 4096,
  layerCount: 28,
  headCount: 16,
  rotaryDim: 64,
  feedForwardSize: 16384,
  layerNormEpsilon: 1e-5,
  bosTokenId: 50256,
  eosTokenId: 50256,
  eosTokenIds: [50256],
};

/** Names in transformers of the tanh approximation of GELU, with which GPT-J was trained. */
const GELU_NEW: readonly unknown[] = [
  'gelu_new',
  'gelu_pytorch_tanh',
  'gelu_python_tanh',
  'gelu_fast',
  'gelu_accurate',
];

/** Other names of a field (`attribute_map` of transformers' `GPTJConfig`). An alias overrides the canonical field. */
const ALIASES: Readonly<Record<string, string>> = {
  n_positions: 'max_position_embeddings',
  n_embd: 'hidden_size',
  n_head: 'num_attention_heads',
  n_layer: 'num_hidden_layers',
};

/**
 * Read a Hugging Face `config.json`, with the aliases and the defaults of transformers' `GPTJConfig`.
 *
 * Throws `invalid_config` for another architecture, an activation other than `gelu_new` or inconsistent sizes; the
 * message names the field, the expected value and the value in the file.
 */
export function parseGptjConfig(json: unknown): GptjConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw invalid(`expected an object, got ${Array.isArray(json) ? 'an array' : json === null ? 'null' : typeof json}`);
  }
  const fields = json as Readonly<Record<string, unknown>>;
  const modelType = fields.model_type;
  if (modelType !== undefined && modelType !== 'gptj') {
    throw invalid(`model_type: expected "gptj", got ${JSON.stringify(modelType)}`);
  }
  const activation = fields.activation_function === undefined ? 'gelu_new' : fields.activation_function;
  if (!GELU_NEW.includes(activation)) {
    throw invalid(
      `activation_function: expected "gelu_new" or another name of GELU's tanh approximation, the one that the engines compute, got ${shown(activation)}`,
    );
  }
  const integer = (name: string, fallback: number, min: number, max: number): number => {
    const alias = ALIASES[name];
    const used = alias !== undefined && fields[alias] !== undefined ? alias : name;
    const value = fields[used] === undefined ? fallback : fields[used];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      throw invalid(`${used}: expected an integer from ${min} to ${max}, got ${shown(value)}`);
    }
    return value;
  };
  const embeddingSize = integer('n_embd', 4096, 1, 1 << 17);
  const epsilon = fields.layer_norm_epsilon === undefined ? 1e-5 : fields.layer_norm_epsilon;
  if (typeof epsilon !== 'number' || !(epsilon > 0 && epsilon < 1)) {
    throw invalid(`layer_norm_epsilon: expected a number between 0 and 1, got ${shown(epsilon)}`);
  }
  const vocabSize = integer('vocab_size', 50400, 1, 1 << 20);
  const tokens = (name: string): readonly TokenId[] => readTokenIds(name, fields[name], vocabSize);
  const eosTokenIds = tokens('eos_token_id');
  const config: GptjConfig = {
    vocabSize,
    contextLength: integer('n_positions', 2048, 1, 1 << 20),
    embeddingSize,
    layerCount: integer('n_layer', 28, 1, 1024),
    headCount: integer('n_head', 16, 1, 1024),
    rotaryDim: integer('rotary_dim', 64, 2, 1 << 17),
    feedForwardSize: fields.n_inner === null ? 4 * embeddingSize : integer('n_inner', 4 * embeddingSize, 1, 1 << 20),
    layerNormEpsilon: epsilon,
    bosTokenId: tokens('bos_token_id')[0] ?? null,
    eosTokenId: eosTokenIds[0] ?? null,
    eosTokenIds,
  };
  checkShape(config);
  return config;
}

/** One id, an array or null. Drops ids past the vocabulary: the model never generates them. */
function readTokenIds(name: string, value: unknown, vocabSize: number): readonly TokenId[] {
  const listed: readonly unknown[] =
    value === undefined ? [50256] : value === null ? [] : Array.isArray(value) ? value : [value];
  const ids = listed.filter((id): id is number => typeof id === 'number' && Number.isInteger(id));
  if (ids.length !== listed.length) {
    throw invalid(`${name}: expected a token id, an array of them or null, got ${shown(value)}`);
  }
  return [...new Set(ids.filter((id) => id >= 0 && id < vocabSize))];
}

function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value)?.slice(0, 100) ?? 'nothing');
}

function invalid(message: string): ModelError {
  return new ModelError('invalid_config', `config.json: ${message}`);
}

/** Throws `invalid_config` when the sizes are inconsistent. */
function checkShape(config: GptjConfig): void {
  const { embeddingSize, headCount, rotaryDim } = config;
  if (embeddingSize % headCount !== 0) {
    throw new ModelError('invalid_config', `n_head: expected a divisor of n_embd ${embeddingSize}, got ${headCount}`);
  }
  const headSize = embeddingSize / headCount;
  if (rotaryDim % 2 !== 0 || rotaryDim > headSize) {
    throw new ModelError(
      'invalid_config',
      `rotary_dim: expected an even number up to the head size ${headSize}, got ${rotaryDim}`,
    );
  }
}
