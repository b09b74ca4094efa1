import type { TokenId } from '@gptj-cloud/model';

/** The model and the route that parameters are read for. */
export interface ModelContext {
  readonly vocabSize: number;
  /** Maximum length of prompt and output together, in tokens. */
  readonly contextLength: number;
  /** The model's end of text; null when it has none. */
  readonly eosTokenId: TokenId | readonly TokenId[] | null;
  /** Default: the first EOS. */
  readonly padTokenId?: TokenId | null;
  /** Encodes texts that stand for token ids; without it such texts are refused. */
  readonly encodeText?: (text: string, options?: { readonly splitSpecialTokens: boolean }) => readonly TokenId[];
  /** Number of layers with early-exit logits (DoLa); absent: the engine has none. */
  readonly earlyExitLayers?: number;
  /** Names of the model's adapters; absent: they are not known, and names are not checked. */
  readonly adapters?: readonly string[];
  /** Names that the caller parses: included in the suggestions for an unknown name. Default: none. */
  readonly otherNames?: readonly string[];
  /**
   * A route's own defaults, by wire name. A value in the request takes precedence, also one inside `generation_config`; any
   * length in the request replaces a default length, which is also reduced to the free context. Default: none.
   */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Checks a regular expression. Default: measures it, which throws `ParameterError` for one that is invalid or too large. */
  readonly checkPattern?: (pattern: string) => void;
}

/** The model and the prompt that parameters are checked for. */
export interface ParameterContext extends ModelContext {
  readonly promptLength: number;
}

/** Server-side bounds that transformers does not have. */
export const LIMITS = {
  /** Values over all parameters of a request: entries of its arrays and objects, nested ones included. */
  requestValues: 524_288,
  /** Characters of all texts and names of a request. */
  requestCharacters: 1_048_576,
  /** Fields of one object. */
  fields: 256,
  /** Unknown names that an error lists. */
  shownNames: 20,
  /** Beams times searches, or sampled sequences, or candidates of contrastive search. */
  rows: 64,
  /** Entries of bad_words, sequence_bias and similar parameters. */
  listEntries: 4096,
  /** Ids in one such entry. */
  wordLength: 256,
  /** Ids over all entries of one parameter. */
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
  /** Entries of one step of `output_beams` for each beam: about as many as a search considers. */
  candidatesPerBeam: 3,
  /** Entries of `output_beams`. */
  beamCandidates: 262_144,
  topScores: 1000,
  draftTokens: 64,
  /** float32 values of `output_scores` and `output_logits` together (16 MiB before base64). */
  scoreValues: 4_194_304,
} as const;
