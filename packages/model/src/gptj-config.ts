import { ModelError } from './model-error.ts';
import type { TokenId } from './token.ts';

/** The shape of a GPT-J. What the model *is*; weights and state live elsewhere. */
export interface GptjConfig {
  /** Rows of the embedding and of the head (50400 for GPT-J, of which 50257 are real tokens). */
  readonly vocabSize: number;
  /** Most positions of one sequence (`n_positions`, 2048). */
  readonly contextLength: number;
  /** Width of the residual stream (`n_embd`, 4096 for 6B). */
  readonly embeddingSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  /** Leading dimensions of each head that rotary embedding turns, in interleaved pairs (64 for 6B). */
  readonly rotaryDim: number;
  /** Width of the MLP (`n_inner`, default 4 × embeddingSize). */
  readonly feedForwardSize: number;
  readonly layerNormEpsilon: number;
  readonly bosTokenId: TokenId;
  readonly eosTokenId: TokenId;
}

/** EleutherAI/gpt-j-6b. */
export const GPTJ_6B: GptjConfig = {
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
};

/**
 * Read a Hugging Face `config.json`.
 *
 * Throws `invalid_config` for another architecture, another activation than `gelu_new`, tied embeddings,
 * or sizes that do not fit together; the message names the field, what was expected and what came.
 */
export function parseGptjConfig(json: unknown): GptjConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new ModelError(
      'invalid_config',
      `config.json: expected an object, got ${json === null ? 'null' : typeof json}`,
    );
  }
  const fields = json as Readonly<Record<string, unknown>>;
  const modelType = fields.model_type;
  if (modelType !== undefined && modelType !== 'gptj') {
    throw new ModelError(
      'invalid_config',
      `config.json: model_type: expected "gptj", got ${JSON.stringify(modelType)}`,
    );
  }
  const activation = fields.activation_function ?? 'gelu_new';
  if (activation !== 'gelu_new') {
    throw new ModelError(
      'invalid_config',
      `config.json: activation_function: expected "gelu_new", got ${JSON.stringify(activation)}`,
    );
  }
  if (fields.tie_word_embeddings === true) {
    throw new ModelError(
      'invalid_config',
      'config.json: tie_word_embeddings: expected false (GPT-J has its own head), got true',
    );
  }
  const integer = (name: string, fallback: number | undefined, min: number, max: number): number => {
    const value = fields[name] ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      throw new ModelError(
        'invalid_config',
        `config.json: ${name}: expected an integer from ${min} to ${max}, got ${JSON.stringify(value)}`,
      );
    }
    return value;
  };
  const embeddingSize = integer('n_embd', undefined, 1, 1 << 17);
  const epsilon = fields.layer_norm_epsilon ?? 1e-5;
  if (typeof epsilon !== 'number' || !(epsilon > 0 && epsilon < 1)) {
    throw new ModelError(
      'invalid_config',
      `config.json: layer_norm_epsilon: expected a number between 0 and 1, got ${JSON.stringify(epsilon)}`,
    );
  }
  const vocabSize = integer('vocab_size', undefined, 1, 1 << 20);
  const config: GptjConfig = {
    vocabSize,
    contextLength: integer('n_positions', undefined, 1, 1 << 20),
    embeddingSize,
    layerCount: integer('n_layer', undefined, 1, 1024),
    headCount: integer('n_head', undefined, 1, 1024),
    rotaryDim: integer('rotary_dim', embeddingSize, 2, 1 << 17),
    feedForwardSize: integer('n_inner', 4 * embeddingSize, 1, 1 << 20),
    layerNormEpsilon: epsilon,
    bosTokenId: integer('bos_token_id', 50256, 0, vocabSize - 1),
    eosTokenId: integer('eos_token_id', 50256, 0, vocabSize - 1),
  };
  checkShape(config);
  return config;
}

/** Throws `invalid_config` when the sizes do not fit together. */
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
