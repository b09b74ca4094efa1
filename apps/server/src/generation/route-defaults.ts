/**
 * The defaults of each route for parameters that the request does not set. The routes read them, and `npm run docs`
 * generates the table of docs/api.md from them.
 */
import { type ParameterDefaults, RUN_DEFAULTS } from '@gptj-cloud/decoding';

export interface RouteDefaults extends ParameterDefaults {
  readonly routes: readonly string[];
  /** Whether the text begins with the prompt. */
  readonly showsPrompt: boolean;
}

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
    ...RUN_DEFAULTS,
    routes: ['POST /v2/runs'],
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
