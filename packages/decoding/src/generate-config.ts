import type { TokenId } from '@gptj-cloud/model';
import type { AdapterConfig } from './parameters/records/adapters.ts';
import type { BeamConfig } from './parameters/records/beams.ts';
import type { ConstraintConfig } from './parameters/records/constraints.ts';
import type { LengthConfig } from './parameters/records/length.ts';
import type { OutputConfig } from './parameters/records/output.ts';
import type { ProcessorConfig } from './parameters/records/processors.ts';
import type { RepetitionConfig } from './parameters/records/repetition.ts';
import type { RequestConfig } from './parameters/records/request.ts';
import type { SamplingConfig } from './parameters/records/sampling.ts';
import type { SearchConfig } from './parameters/records/search.ts';
import type { StoppingConfig } from './parameters/records/stopping.ts';

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
  /** Nothing is generated; the prompt's log-probabilities are returned. */
  | 'score';

/** One entry of `sequence_bias`: added to the score of the last id when the others end the sequence. */
export interface SequenceBias {
  readonly tokens: readonly TokenId[];
  readonly bias: number;
}

/** `prefix_allowed_tokens_fn` in its declarative forms. */
export type AllowedTokens =
  | {
      readonly type: 'sequences';
      readonly sequences: readonly (readonly TokenId[])[];
      /** Match generated tokens alone; false matches prompt and generated tokens together. */
      readonly afterPrompt: boolean;
    }
  /** The generated text must match the whole pattern; EOS is allowed where it does. */
  | { readonly type: 'regex'; readonly pattern: string; readonly vocabSize: number };

/** A phrase that must occur (`phrasal`, one alternative) or one of several (`disjunctive`). */
export type Constraint =
  | { readonly type: 'phrasal'; readonly tokens: readonly TokenId[] }
  | { readonly type: 'disjunctive'; readonly alternatives: readonly (readonly TokenId[])[] };

/**
 * One entry of the `logits_processor` array. It runs after the built-in processors and before the warpers, or in the
 * place of the built-in processor of its type.
 */
export interface CustomProcessor {
  /** Name of the parameter whose processor this is, for example `repetition_penalty`. */
  readonly type: string;
  /** The fields that the entry sets. */
  readonly config: Partial<GenerateConfig>;
}

/**
 * Validated parameters of one `generate` call: plain data, safe to send to another process by structured clone.
 * Made by `parseGenerateParameters` alone; valid for a prompt of the length it was made for. Every field is set by the
 * record of its parameter.
 */
export interface GenerateConfig
  extends LengthConfig,
    SamplingConfig,
    BeamConfig,
    SearchConfig,
    RepetitionConfig,
    ProcessorConfig,
    ConstraintConfig,
    StoppingConfig,
    OutputConfig,
    RequestConfig,
    AdapterConfig {
  readonly compat: CompatVersion;
  readonly mode: DecodingMode;
}
