import { ModelError } from '@gptj-cloud/model';
import { ROUTE_DEFAULTS } from '../../generation/route-defaults.ts';
import { jsonBytes } from '../../http/json-body.ts';
import { json } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import { type ApiRoute, METERED } from '../access/access.ts';
import { flag, integer, number, object, text } from '../described-json.ts';
import { type DirectRoutesDeps, directReply } from '../direct-reply.ts';
import { meshErrors } from '../error-dialects.ts';
import { READ_MESH_REQUEST } from './read-mesh-request.ts';

const requestSchema = object(
  {
    context: { ...text, description: 'The prompt.' },
    top_p: number('0 to 1. Default 0.9.'),
    temp: number('Temperature, above 0. Default 1.'),
    response_length: integer(
      `Maximum number of new tokens. Default ${ROUTE_DEFAULTS.mesh.newTokens}, or the room that the context leaves.`,
    ),
    top_k: integer('Default 0, which keeps all.'),
    seed: integer('The same seed gives the same text.'),
    split_special_tokens: flag('Read special tokens in the prompt as plain text. Default false.'),
  },
  ['context'],
);

/** The demo server of mesh-transformer-jax. It answered errors with 200; here they have a status of their own. */
export function meshRoutes(deps: DirectRoutesDeps): readonly ApiRoute[] {
  const { model, jobs, maxJsonBytes } = deps;
  return [
    defineRoute({
      method: 'post',
      path: '/complete',
      access: METERED,
      errors: meshErrors,
      tag: 'mesh-transformer-jax',
      summary: 'Complete a prompt, like the original demo server',
      description: 'Filters before applying temperature, like the demo.',
      body: jsonBytes(requestSchema, { maxBytes: maxJsonBytes }),
      bodyExample: { context: 'Once upon a time', response_length: 32, temp: 0.8 },
      replies: { 200: json(object({ completion: text }), 'The text.') },
      async handle({ body, principal, request }) {
        const prompts = [await jobs.run(READ_MESH_REQUEST, { body }, principal.projectId)];
        return await directReply(
          deps,
          { request, principal, model, prompts },
          {
            stream: null,
            collect: async (events) => {
              for await (const event of events) {
                if (event.type !== 'engine' || event.event.type !== 'finished') continue;
                return { completion: model.tokenizer.decode(event.event.outcome.sequences[0]?.tokens ?? []) };
              }
              throw new ModelError('engine_failed', 'the engine ended the generation without a result');
            },
          },
        );
      },
    }),
  ];
}
