/** Kinds of tokens in a GGUF file (`enum llama_token_type`). */
export const TOKEN_TYPE = { normal: 1, control: 3, userDefined: 4, unused: 5 } as const;

/** A byte-level BPE vocabulary as plain data. The tokenizer itself is another room's. */
export interface TokenizerData {
  /** Token texts in GPT-2's byte-to-character alphabet, by id. As many as the model has embeddings. */
  readonly tokens: readonly string[];
  /** `left right`, best first. */
  readonly merges: readonly string[];
  /** One of {@link TOKEN_TYPE} per token. */
  readonly tokenTypes: readonly number[];
}
