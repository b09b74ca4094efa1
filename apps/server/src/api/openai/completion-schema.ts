import { ROUTE_DEFAULTS } from '../../generation/route-defaults.ts';
import type { JsonSchema } from '../../http/openapi/operation.ts';
import { flag, generateParameters, integer, list, number, object, text } from '../described-json.ts';

const TOKENS: JsonSchema = { type: 'array', items: { type: 'integer' }, description: 'Token ids.' };

/** Body of `POST /v1/completions`: OpenAI's fields, and `generate`'s under their own names. */
export const completionRequestSchema: JsonSchema = object(
  {
    ...generateParameters,
    model: { ...text, description: 'Any name of this model; see GET /v1/models.' },
    prompt: { anyOf: [text, list(text), TOKENS, list(TOKENS)] },
    max_tokens: integer(
      `Default ${ROUTE_DEFAULTS.completion.newTokens}, or the room that the context leaves. 0 answers the prompt, with echo, and scores it, with logprobs.`,
    ),
    temperature: number('Default 1. 0 decodes greedily.'),
    top_p: number('Default 1.'),
    n: integer('Choices for each prompt. Default 1.'),
    best_of: integer('Sequences to generate, of which the n most likely are returned.'),
    stream: flag('Answer with server-sent events, ended by [DONE].'),
    stream_options: object({ include_usage: flag('A last event with the usage.') }),
    logprobs: integer('Number of most likely tokens at each position.'),
    echo: flag('Begin with the prompt.'),
    stop: { anyOf: [text, list(text)] },
    presence_penalty: number('-2 to 2.'),
    frequency_penalty: number('-2 to 2.'),
    logit_bias: { type: 'object', additionalProperties: { type: 'number' }, description: 'By token id.' },
    seed: integer('The same seed gives the same text.'),
    ignore_eos: flag("vLLM's: the end-of-text token does not end the output."),
    stop_token_ids: {
      type: 'array',
      items: { type: 'integer' },
      description: "vLLM's: further ids that end the output.",
    },
    min_tokens: integer("vLLM's: tokens before which no end is generated."),
    return_token_ids: flag("vLLM's: token ids beside the text."),
    return_tokens_as_token_ids: flag("vLLM's: tokens among log-probabilities as token_id:N."),
    truncate: integer('Keep this many tokens of the end of each prompt.'),
    user: text,
  },
  ['prompt'],
);

export const completionSchema: JsonSchema = object({
  id: text,
  object: { const: 'text_completion' },
  created: integer('Unix time.'),
  model: text,
  choices: list(
    object({
      index: integer('Index of the choice.'),
      text,
      finish_reason: { enum: ['stop', 'length', null] },
      logprobs: { type: ['object', 'null'] },
      prompt_token_ids: TOKENS,
      token_ids: TOKENS,
    }),
  ),
  usage: object({
    prompt_tokens: integer('Of all prompts.'),
    completion_tokens: integer('Of all choices.'),
    total_tokens: integer('Both.'),
  }),
});

export const modelSchema: JsonSchema = object({
  id: text,
  object: { const: 'model' },
  created: integer('Unix time.'),
  owned_by: text,
});

export const engineSchema: JsonSchema = object({
  id: text,
  object: { const: 'engine' },
  owner: text,
  ready: { const: true },
});
