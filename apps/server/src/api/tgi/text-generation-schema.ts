import { PARAMETER_LIMITS } from '@gptj-cloud/decoding';
import { ROUTE_DEFAULTS } from '../../generation/route-defaults.ts';
import type { JsonSchema } from '../../http/openapi/operation.ts';
import { flag, generateParameters, integer, list, number, object, text } from '../described-json.ts';

/** Body of every generating route of text-generation-inference. */
export const textGenerationRequestSchema: JsonSchema = object(
  {
    inputs: { ...text, description: 'The prompt.' },
    parameters: object({
      ...generateParameters,
      max_new_tokens: integer(`Default ${ROUTE_DEFAULTS.generate.newTokens}, or the room that the context leaves.`),
      do_sample: flag('Sample instead of decoding greedily.'),
      temperature: number('Above 0.'),
      top_k: integer('0 keeps all.'),
      top_p: number('0 to 1.'),
      typical_p: number('0 to 1.'),
      repetition_penalty: number('1 does nothing.'),
      frequency_penalty: number('-2 to 2.'),
      return_full_text: flag('Begin with the prompt.'),
      stop: {
        anyOf: [text, list(text)],
        description: `Up to ${PARAMETER_LIMITS.stopStrings}; stop_sequences is the same. They stay in the text.`,
      },
      watermark: flag("Mark the text, by TGI's scheme and strength."),
      seed: integer('The same seed gives the same text.'),
      truncate: integer('Keep this many tokens of the end of the prompt.'),
      best_of: integer('Number of sequences to sample, of which the most likely is returned.'),
      details: flag('Return tokens and their log-probabilities.'),
      decoder_input_details: flag('Those of the prompt, too.'),
      top_n_tokens: integer('Number of most likely tokens at each position.'),
      num_return_sequences: integer('For /models/… alone.'),
    }),
    options: object({
      use_cache: flag('Accepted without effect: results are never cached.'),
      wait_for_model: flag('Accepted without effect: the model is loaded.'),
      use_gpu: flag('Accepted without effect.'),
    }),
    stream: flag('Answer with server-sent events.'),
    model: { ...text, description: 'Any name of this model; see GET /v1/models.' },
  },
  ['inputs'],
);

export const generatedSchema: JsonSchema = object({ generated_text: text, details: { type: ['object', 'null'] } });

export const generatedEventSchema: JsonSchema = object({ token: { type: 'object' }, generated_text: {} });
