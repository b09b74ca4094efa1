/**
 * The description of one parameter of `generate`. Readers, warnings, processors, the command line, OpenAPI and the
 * documentation derive from it. `parameter-table.ts` lists all records.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { CompatVersion, DecodingMode, GenerateConfig } from '../generate-config.ts';
import type { LogitsProcessor } from '../logits-processor.ts';
import type { AllowedNext } from '../processors/allowed-tokens.ts';
import type { Warper } from '../warpers/possible-tokens.ts';
import type { Charge } from '../work-budget.ts';
import type { ModelContext, ParameterContext } from './parameter-context.ts';
import type { Fields } from './read-value.ts';

/** Section of a parameter in help, documentation and forms. */
export type ParameterGroup =
  | 'length'
  | 'sampling'
  | 'beams'
  | 'search'
  | 'processors'
  | 'constraints'
  | 'stopping'
  | 'output'
  | 'other'
  /** Read by the pipeline of a run, not by `generate`. */
  | 'pipeline';

/** The JSON type of a parameter. */
export type ValueShape =
  | {
      readonly type: 'number' | 'integer';
      readonly min?: number;
      readonly max?: number;
      /** Exclusive bound. */
      readonly above?: number;
    }
  | { readonly type: 'boolean' }
  | { readonly type: 'choice'; readonly choices: readonly (string | boolean)[] }
  /** Strings, arrays and objects. `form` shows them; `schema` is JSON Schema. */
  | { readonly type: 'json'; readonly form: string; readonly schema: JsonSchema };

/** A JSON Schema of draft 2020-12, as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Everything besides the value that a parameter's reader depends on. It is the same for all prompts of a request. */
export interface ParameterSituation {
  readonly compat: CompatVersion;
  readonly context: ModelContext;
  readonly mode: DecodingMode;
  /** Warpers act; without sampling their ranges are not checked, as in transformers. */
  readonly sampling: boolean;
  /** `top_k` is the number of candidates. */
  readonly contrastive: boolean;
  readonly numBeams: number;
  readonly numBeamGroups: number;
  readonly numReturnSequences: number;
  readonly eosTokenIds: readonly TokenId[];
}

/** The situation of one prompt of a request, for parameters that depend on its length. */
export interface PromptSituation extends ParameterSituation {
  readonly context: ParameterContext;
  /** `max_length` as transformers sees it; under compat 4.25 it may lie below the prompt's length. */
  readonly maxLength: number;
}

/** The arguments of a processor beside the configuration. */
export interface ProcessorContext {
  readonly prompt: readonly TokenId[];
  /** The rule of `prefix_allowed_tokens_fn`; null when every token may follow. */
  readonly allowedNext: AllowedNext | null;
  /** Charges the steps of preparing a processor. */
  readonly charge: Charge;
  /** Counts the bytes of a table that the processor keeps. */
  readonly hold: Charge;
}

/** The decoding modes in which a parameter acts, and the reason shown in warnings otherwise. */
export interface Activity {
  /** Acts in all modes that sample. */
  readonly sampling?: true;
  /** Acts in these modes. */
  readonly modes?: readonly DecodingMode[];
  /** Completes "NAME is ignored: …". */
  readonly otherwise: string;
}

export interface ParameterRecord {
  /** Wire name. */
  readonly name: string;
  readonly group: ParameterGroup;
  /** The transformers versions under which it is accepted. */
  readonly versions: readonly CompatVersion[];
  /** Set for parameters of this product, which transformers' `generate` does not have. */
  readonly own?: true;
  /** One sentence, without default and range, which follow from `value` and `default`. */
  readonly help: string;
  readonly value: ValueShape;
  /** The default, as JSON or in words. Absent: no effect. */
  readonly default?: number | boolean | string;
  /** Where a version has another default; null: none. */
  readonly defaultIn?: Readonly<Partial<Record<CompatVersion, number | boolean | string | null>>>;
  /** The value that disables it, if that is not the default. */
  readonly neutral?: number;
  /** Absent: acts in every mode. */
  readonly acts?: Activity;
  /** Steers memory or speed of the Python implementation, not tokens: accepted without effect. */
  readonly noEffect?: true;
  /** Why this server refuses it. */
  readonly unsupported?: string;
  /** The record whose `read` also takes this name. */
  readonly readWith?: string;
  /** The fields of the configuration that the value sets, once for all prompts of a request. Throws `ParameterError`. */
  readonly read?: (fields: Fields, situation: ParameterSituation) => Partial<GenerateConfig>;
  /**
   * The same for fields that depend on the length of the prompt: executed for every length, so its cost must not grow with
   * the value. `config`: what `read` gave.
   */
  readonly readForPrompt?: (
    fields: Fields,
    situation: PromptSituation,
    config: Partial<GenerateConfig>,
  ) => Partial<GenerateConfig>;
  /** The reason why a given value has no effect, beyond `acts`; null when it has one. */
  readonly ignored?: (config: GenerateConfig, fields: Fields) => string | null;
  /** A warning about a value that has an effect, without the name; null for none. */
  readonly caution?: (config: GenerateConfig) => string | null;
  /** The processor of a configuration; null when it would change nothing. */
  readonly processor?: (config: GenerateConfig, context: ProcessorContext) => LogitsProcessor | null;
  /** The same for warpers, which act on rows of possible tokens. `keep`: tokens that must stay possible. */
  readonly warper?: (config: GenerateConfig, keep: number) => Warper | null;
  /** The same for processors that run after the warpers. */
  readonly finalProcessor?: (config: GenerateConfig, context: ProcessorContext) => LogitsProcessor | null;
  /** An entry of `logits_processor` may have this name as its `type`. */
  readonly custom?: true;
}

export const BOTH_VERSIONS: readonly CompatVersion[] = ['5.18', '4.25'];
export const ONLY_5_18: readonly CompatVersion[] = ['5.18'];
export const ONLY_4_25: readonly CompatVersion[] = ['4.25'];

const BEAM_MODES: readonly DecodingMode[] = ['beam', 'beam-sample', 'group', 'constrained'];
export const WITH_SAMPLING: Activity = { sampling: true, otherwise: 'it acts only with do_sample' };
export const WITH_BEAMS: Activity = { modes: BEAM_MODES, otherwise: 'it acts only with num_beams above 1' };
export const WITH_GROUPS: Activity = { modes: ['group'], otherwise: 'it acts only in group beam search' };
