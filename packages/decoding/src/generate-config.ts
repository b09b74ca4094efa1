import type { TokenId } from '@gptj-cloud/model';

/** Which transformers release a request behaves like: 5.18, or 4.25 as Pipeline Cloud served in 2022. */
export type CompatVersion = '5.18' | '4.25';

/** How tokens are chosen. Prompt lookup is no mode: it speeds `greedy` and `sample` up without changing them. */
export type DecodingMode =
  | 'greedy'
  | 'sample'
  | 'beam'
  | 'beam-sample'
  | 'group'
  | 'constrained'
  | 'contrastive'
  | 'dola'
  /** Nothing is generated: the prompt's log-probabilities are all that is asked for. */
  | 'score';

/** One entry of `sequence_bias`: added to the score of the last id when the others end the sequence. */
export interface SequenceBias {
  readonly tokens: readonly TokenId[];
  readonly bias: number;
}

/** `watermarking_config`, the green-list scheme of Kirchenbauer et al. (arXiv 2301.10226, 2306.04634). */
export interface WatermarkConfig {
  readonly greenlistRatio: number;
  readonly bias: number;
  readonly hashingKey: number;
  readonly seedingScheme: 'lefthash' | 'selfhash';
  readonly contextWidth: number;
}

/** `prefix_allowed_tokens_fn` in its declarative forms. */
export type AllowedTokens =
  | {
      readonly type: 'sequences';
      readonly sequences: readonly (readonly TokenId[])[];
      /** Match generated tokens only; false matches prompt and generated together. */
      readonly afterPrompt: boolean;
    }
  /** The generated text must match the whole pattern; EOS is allowed where it does. */
  | { readonly type: 'regex'; readonly pattern: string; readonly vocabSize: number };

/** A phrase that must occur (`phrasal`, one alternative) or one of several (`disjunctive`). */
export type Constraint =
  | { readonly type: 'phrasal'; readonly tokens: readonly TokenId[] }
  | { readonly type: 'disjunctive'; readonly alternatives: readonly (readonly TokenId[])[] };

/** The parameters that shape scores; each is at its neutral value when not asked for. */
export interface ScoreShaping {
  readonly guidanceScale: number;
  /** Context of the unconditional branch; null: the last prompt token. */
  readonly negativePromptIds: readonly TokenId[] | null;
  readonly sequenceBias: readonly SequenceBias[];
  readonly diversityPenalty: number;
  readonly encoderRepetitionPenalty: number;
  readonly repetitionPenalty: number;
  /** OpenAI's penalties on generated tokens: once for being there, and for each time. 0 is neutral. */
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly noRepeatNgramSize: number;
  readonly encoderNoRepeatNgramSize: number;
  readonly badWordsIds: readonly (readonly TokenId[])[];
  /** EOS is forbidden while prompt and generated tokens together are fewer. */
  readonly minLength: number;
  readonly allowedTokens: AllowedTokens | null;
  readonly forcedBosTokenId: TokenId | null;
  /** At `atLength` tokens (prompt included) only `tokens` are possible. */
  readonly forcedEos: { readonly tokens: readonly TokenId[]; readonly atLength: number } | null;
  readonly removeInvalidValues: boolean;
  /** From `start` generated tokens on, EOS is favoured by `factor` per token. */
  readonly exponentialDecay: { readonly start: number; readonly factor: number } | null;
  readonly suppressTokens: readonly TokenId[];
  readonly beginSuppressTokens: readonly TokenId[];
  /** Pairs of absolute position (prompt included) and id. */
  readonly forcedDecoderIds: readonly (readonly [position: number, token: TokenId])[];
  readonly temperature: number;
  readonly topH: number | null;
  /** 0 keeps everything. */
  readonly topK: number;
  readonly topP: number;
  readonly minP: number | null;
  readonly typicalP: number;
  readonly epsilonCutoff: number;
  readonly etaCutoff: number;
  readonly watermark: WatermarkConfig | null;
  readonly renormalizeLogits: boolean;
}

/**
 * One entry of the `logits_processor` list. It runs after the built-in processors and before the warpers, or in the
 * place of the built-in processor of its kind.
 */
export interface CustomProcessor {
  /** Name of the parameter whose processor this is, for example `repetition_penalty`. */
  readonly type: string;
  /** The parameters that the entry sets; everything else is neutral. */
  readonly shaping: Partial<ScoreShaping>;
}

/** What to return beside tokens. */
export interface OutputOptions {
  /** Log-probabilities of the N likeliest tokens beside each generated one; null: none, 0: the chosen one alone. */
  readonly topLogprobs: number | null;
  /** The same for the prompt's tokens. */
  readonly promptLogprobs: number | null;
  readonly scores: boolean;
  readonly logits: boolean;
  /** How `scores` and `logits` rows are returned: the N largest, or all as base64 of little-endian float32. */
  readonly rowFormat: { readonly type: 'top'; readonly count: number } | { readonly type: 'base64' };
}

/**
 * Validated parameters of one `generate` call: plain data, safe to send to another process by structured clone.
 * Made by `parseGenerateParameters` alone; valid for a prompt of the length it was made for.
 */
export interface GenerateConfig extends ScoreShaping {
  readonly compat: CompatVersion;
  readonly mode: DecodingMode;
  readonly doSample: boolean;
  readonly numBeams: number;
  readonly numBeamGroups: number;
  /** Returned sequences. */
  readonly numReturnSequences: number;
  /** Prompt and generated tokens together never exceed this. */
  readonly maxLength: number;
  /** Wall-clock budget, counted from the creation of the strategy; null: none. */
  readonly maxTimeMs: number | null;
  readonly stopStrings: readonly string[];
  /** Whether a stop string may begin in the prompt, as transformers has it; else generated tokens alone count. */
  readonly stopInPrompt: boolean;
  readonly stopSequences: readonly (readonly TokenId[])[];
  /** Empty: generation never ends by EOS. May hold -1, which no token equals. */
  readonly eosTokenIds: readonly TokenId[];
  /** What transformers would fill rows up with; null: nothing to fill with. */
  readonly padTokenId: TokenId | null;
  readonly earlyStopping: boolean | 'never';
  readonly lengthPenalty: number;
  readonly penaltyAlpha: number;
  readonly constraints: readonly Constraint[];
  /** Candidate layers of DoLa, 0 = embedding output. Empty in other modes. */
  readonly dolaLayers: readonly number[];
  /** Draft tokens per step of prompt lookup; 0: off. */
  readonly promptLookupNumTokens: number;
  /** Temperature follows the other warpers, as in GPT-J's own demo, where transformers has it before them. */
  readonly filterBeforeTemperature: boolean;
  readonly maxMatchingNgramSize: number;
  readonly customProcessors: readonly CustomProcessor[];
  /** null: a fresh seed per call. */
  readonly seed: number | null;
  /** The caller wants results that do not depend on what else runs; a matter of the engine. */
  readonly deterministic: boolean;
  readonly output: OutputOptions;
}
