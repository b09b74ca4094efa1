/** The APIs people already use. Their requests are checked field by field, so their shapes are written down here. */
import { type JsonSchema, json, type Operation } from '../http/openapi/operation.ts';

const text: JsonSchema = { type: 'string' };
const object = (properties: Readonly<Record<string, JsonSchema>>, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  required,
  properties,
});
const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const number = (description: string): JsonSchema => ({ type: 'number', description });
const integer = (description: string): JsonSchema => ({ type: 'integer', description });
const flag = (description: string): JsonSchema => ({ type: 'boolean', description });

const OPENAI_ERROR = object({
  error: object({ message: text, type: text, param: { type: ['string', 'null'] }, code: { type: ['string', 'null'] } }),
});
const TGI_ERROR = object({ error: text, error_type: text }, ['error']);
const MESH_ERROR = object({ error: text }, ['error']);

const TOKENS = { type: 'array', items: { type: 'integer' }, description: 'Token ids.' } as const;
const completionRequest = object(
  {
    model: { ...text, description: 'Any name this model goes by; see GET /v1/models.' },
    prompt: { anyOf: [text, list(text), TOKENS, list(TOKENS)] },
    max_tokens: integer('Default 16. 0 scores the prompt, with echo and logprobs.'),
    temperature: number('Default 1. 0 decodes greedily.'),
    top_p: number('Default 1.'),
    n: integer('Choices of each prompt. Default 1.'),
    best_of: integer('Sequences to make, of which the n likeliest are returned.'),
    stream: flag('Answer with server-sent events, ended by [DONE].'),
    stream_options: object({ include_usage: flag('A last event with the usage.') }),
    logprobs: integer('Likeliest tokens beside each one.'),
    echo: flag('Begin with the prompt.'),
    stop: { anyOf: [text, list(text)] },
    presence_penalty: number('-2 to 2.'),
    frequency_penalty: number('-2 to 2.'),
    logit_bias: { type: 'object', additionalProperties: { type: 'number' }, description: 'By token id.' },
    seed: integer('The same seed gives the same text.'),
    user: text,
  },
  ['prompt'],
);
const completion = object({
  id: text,
  object: { const: 'text_completion' },
  created: integer('Unix time.'),
  model: text,
  choices: list(
    object({
      index: integer('Of the choice.'),
      text,
      finish_reason: { enum: ['stop', 'length', null] },
      logprobs: { type: ['object', 'null'] },
    }),
  ),
  usage: object({
    prompt_tokens: integer('Of all prompts.'),
    completion_tokens: integer('Of all choices.'),
    total_tokens: integer('Both.'),
  }),
});
const model = object({ id: text, object: { const: 'model' }, created: integer('Unix time.'), owned_by: text });

const textGenerationRequest = object(
  {
    inputs: { ...text, description: 'The prompt.' },
    parameters: object({
      max_new_tokens: integer('Default 100.'),
      do_sample: flag('Draw instead of taking the likeliest.'),
      temperature: number('Above 0.'),
      top_k: integer('0 keeps all.'),
      top_p: number('0 to 1.'),
      typical_p: number('0 to 1.'),
      repetition_penalty: number('1 does nothing.'),
      frequency_penalty: number('-2 to 2.'),
      return_full_text: flag('Begin with the prompt.'),
      stop: {
        anyOf: [text, list(text)],
        description: 'Up to four; stop_sequences is the same. They stay in the text.',
      },
      watermark: flag("Mark the text, by TGI's scheme and strength."),
      seed: integer('The same seed gives the same text.'),
      truncate: integer('Keep this many tokens of the end of the prompt.'),
      best_of: integer('Draw so many and return the likeliest.'),
      details: flag('Tell tokens and their log-probabilities.'),
      decoder_input_details: flag('Those of the prompt, too.'),
      top_n_tokens: integer('Likeliest tokens beside each one.'),
      num_return_sequences: integer('For /models/… alone.'),
    }),
    options: object({
      use_cache: flag('Accepted without effect: results are never cached.'),
      wait_for_model: flag('Accepted without effect: the model is loaded.'),
      use_gpu: flag('Accepted without effect.'),
    }),
    stream: flag('Answer with server-sent events.'),
  },
  ['inputs'],
);
const meshRequest = object(
  {
    context: { ...text, description: 'The prompt.' },
    top_p: number('0 to 1. Default 0.9.'),
    temp: number('Temperature, above 0. Default 1.'),
    response_length: integer('New tokens at most. Default 512, or what the context leaves.'),
    top_k: integer('Default 0, which keeps all.'),
    seed: integer('The same seed gives the same text.'),
  },
  ['context'],
);
const generated = object({ generated_text: text, details: { type: ['object', 'null'] } });
const generatedEvents = {
  type: 'text/event-stream',
  schema: object({ token: { type: 'object' }, generated_text: {} }),
};

const generation = (path: string, summary: string, reply: JsonSchema): Operation => ({
  method: 'post',
  path,
  tag: 'text-generation-inference',
  summary,
  access: 'token',
  refusal: TGI_ERROR,
  body: [{ schema: textGenerationRequest }],
  replies: { 200: { description: 'The text, or events.', content: [{ schema: reply }, generatedEvents] } },
});

export const COMPATIBLE_OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/completions',
    tag: 'OpenAI',
    summary: 'Complete prompts',
    access: 'token',
    refusal: OPENAI_ERROR,
    body: [{ schema: completionRequest }],
    replies: {
      200: {
        description: 'The completion, or events of it.',
        content: [{ schema: completion }, { type: 'text/event-stream', schema: completion }],
      },
    },
  },
  {
    method: 'get',
    path: '/v1/models',
    tag: 'OpenAI',
    summary: 'List models',
    access: 'token',
    refusal: OPENAI_ERROR,
    replies: { 200: json(object({ object: { const: 'list' }, data: list(model) }), 'The model that is served.') },
  },
  {
    method: 'get',
    path: '/v1/models/:name{.+}',
    tag: 'OpenAI',
    summary: 'Look at a model',
    access: 'token',
    refusal: OPENAI_ERROR,
    replies: { 200: json(model, 'The model.') },
  },
  generation('/', 'Generate, as the root of text-generation-inference', list(generated)),
  generation('/generate', 'Generate', generated),
  {
    ...generation('/generate_stream', 'Generate, with events', generated),
    replies: { 200: { description: 'Events.', content: [generatedEvents] } },
  },
  generation('/models/:name{.+}', 'Generate, as the Inference API of 2022', list(generated)),
  {
    method: 'get',
    path: '/info',
    tag: 'text-generation-inference',
    summary: 'What is served',
    access: 'token',
    refusal: TGI_ERROR,
    replies: { 200: json(object({ model_id: text }), 'Model and limits.') },
  },
  {
    method: 'get',
    path: '/health',
    tag: 'text-generation-inference',
    summary: 'Whether it can generate now',
    access: 'public',
    refusal: TGI_ERROR,
    replies: { 200: { description: 'It can.' }, 503: json(TGI_ERROR, 'Not now.') },
  },
  {
    method: 'post',
    path: '/complete',
    tag: 'mesh-transformer-jax',
    summary: 'Complete a prompt, as the demo of the original',
    description: 'Filters before temperature, as that code did.',
    access: 'token',
    refusal: MESH_ERROR,
    body: [{ schema: meshRequest }],
    replies: { 200: json(object({ completion: text }), 'The text.') },
  },
];
