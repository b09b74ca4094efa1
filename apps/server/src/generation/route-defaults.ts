/**
 * The defaults of each route for parameters that the request does not set. The routes read them, and `npm run docs`
 * generates the table of docs/api.md from them.
 */
import type { JsonValue } from '@gptj-cloud/pickle';

/** Enables or disables sampling if a parameter has a certain value. */
export interface SamplingRule {
  readonly parameter: string;
  readonly is: 'given' | 'equal to' | 'other than' | 'above' | 'below';
  readonly value?: number;
  readonly sample: boolean;
}

export interface RouteDefaults {
  readonly routes: readonly string[];
  /** Number of new tokens, reduced to the free context; null: the default of `generate`. */
  readonly newTokens: number | null;
  /** `do_sample`, unless a rule says otherwise. */
  readonly sample: boolean;
  /** The first matching rule applies. */
  readonly rules: readonly SamplingRule[];
  /** Whether a request without any parameters samples, whatever `sample` says. */
  readonly samplesWithoutParameters: boolean;
  /** Parameters that shape the distribution when sampling; those not named have the defaults of `generate`. */
  readonly whenSampling: Readonly<Record<string, JsonValue>>;
  /** Other parameters of `generate` that differ from its defaults. */
  readonly fields: Readonly<Record<string, JsonValue>>;
  /** Whether the text begins with the prompt. */
  readonly showsPrompt: boolean;
}

/** Modes of `generate` that exclude sampling: a request for one of them is not made to sample by any route. */
export const NEVER_SAMPLED: readonly SamplingRule[] = [
  { parameter: 'penalty_alpha', is: 'above', value: 0, sample: false },
  { parameter: 'num_beam_groups', is: 'above', value: 1, sample: false },
  { parameter: 'constraints', is: 'given', sample: false },
  { parameter: 'force_words', is: 'given', sample: false },
  { parameter: 'force_words_ids', is: 'given', sample: false },
];

const TEXT_GENERATION_INFERENCE: Omit<RouteDefaults, 'routes' | 'showsPrompt'> = {
  newTokens: 100,
  sample: false,
  rules: [
    { parameter: 'temperature', is: 'other than', value: 1, sample: true },
    { parameter: 'top_k', is: 'above', value: 0, sample: true },
    { parameter: 'top_p', is: 'below', value: 1, sample: true },
    { parameter: 'typical_p', is: 'below', value: 1, sample: true },
  ],
  samplesWithoutParameters: true,
  whenSampling: { top_k: 0 },
  fields: { stop_in_prompt: false },
};

export const ROUTE_DEFAULTS = {
  /** The GPT-J pipeline of 2022. */
  run: {
    routes: ['POST /v2/runs'],
    newTokens: null,
    sample: true,
    rules: [{ parameter: 'num_beams', is: 'given', sample: false }],
    samplesWithoutParameters: true,
    whenSampling: {},
    fields: {},
    showsPrompt: false,
  },
  completion: {
    routes: ['POST /v1/completions'],
    newTokens: 16,
    sample: true,
    rules: [
      { parameter: 'temperature', is: 'equal to', value: 0, sample: false },
      { parameter: 'num_beams', is: 'above', value: 1, sample: false },
    ],
    samplesWithoutParameters: true,
    whenSampling: { top_k: 0 },
    fields: { stop_in_prompt: false },
    showsPrompt: false,
  },
  /** text-generation-inference. */
  generate: { ...TEXT_GENERATION_INFERENCE, routes: ['POST /generate', 'POST /generate_stream'], showsPrompt: false },
  /** text-generation-inference's root, which follows the Inference API. */
  compat: { ...TEXT_GENERATION_INFERENCE, routes: ['POST /'], showsPrompt: true },
  /** The Inference API of 2022: a transformers pipeline with the configuration of GPT-J, which samples. */
  inference: {
    routes: ['POST /models/{model}'],
    newTokens: 100,
    sample: true,
    rules: [],
    samplesWithoutParameters: true,
    whenSampling: {},
    fields: { stop_in_prompt: false },
    showsPrompt: true,
  },
  /** mesh-transformer-jax's demo, which filters first and applies temperature afterwards. */
  mesh: {
    routes: ['POST /complete'],
    newTokens: 512,
    sample: true,
    rules: [],
    samplesWithoutParameters: true,
    whenSampling: { temperature: 1, top_p: 0.9, top_k: 0, filter_before_temperature: true },
    fields: {},
    showsPrompt: false,
  },
  /** The command of the `gptj` tool: `generate` as transformers has it. */
  command: {
    routes: ['gptj generate'],
    newTokens: null,
    sample: false,
    rules: [],
    samplesWithoutParameters: false,
    whenSampling: {},
    fields: {},
    showsPrompt: false,
  },
} as const satisfies Readonly<Record<string, RouteDefaults>>;

export type RouteName = keyof typeof ROUTE_DEFAULTS;
