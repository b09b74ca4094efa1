import type { TokenId } from '@gptj-cloud/model';

/** What the parameters are checked against. */
export interface ParameterContext {
  readonly vocabSize: number;
  /** Most tokens of prompt and output together. */
  readonly contextLength: number;
  /** The model's end of text; null when it has none. */
  readonly eosTokenId: TokenId | readonly TokenId[] | null;
  /** Default: the first EOS. */
  readonly padTokenId?: TokenId | null;
  readonly promptLength: number;
  /** Needed for text given in place of token ids; refused without it. */
  readonly encodeText?: (text: string) => readonly TokenId[];
  /** Layers of the model where the engine can exit early (DoLa); absent: it cannot. */
  readonly earlyExitLayers?: number;
  /** Names that the caller takes out before: worth suggesting to whoever misspells one. Default: none. */
  readonly otherNames?: readonly string[];
}

/** Server-side bounds that transformers does not have. */
export const LIMITS = {
  /** Beams times searches, or sampled sequences, or candidates of contrastive search. */
  rows: 64,
  /** Words of bad_words, sequence_bias and the like. */
  listEntries: 4096,
  /** Ids in one of those words. */
  wordLength: 256,
  /** Ids over all lists of one parameter. */
  totalIds: 262_144,
  constraints: 32,
  /** Ids over all constraints. */
  constraintIds: 256,
  stopStrings: 64,
  /** Characters of one stop string. */
  stopStringLength: 512,
  customProcessors: 16,
  /** Characters of a regular expression. */
  patternLength: 2048,
  topLogprobs: 100,
  /** Log-probabilities over all sequences. */
  logprobEntries: 524_288,
  topScores: 1000,
  draftTokens: 64,
  /** float32 values of `output_scores` and `output_logits` together (16 MiB before base64). */
  scoreValues: 4_194_304,
} as const;
