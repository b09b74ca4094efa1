import { namedModel } from '../../generation/text-model.ts';
import { jsonBytes } from '../../http/json-body.ts';
import { json } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import { type ApiRoute, METERED, PROBE, scope } from '../access/access.ts';
import { list, object, text } from '../described-json.ts';
import { type DirectRequest, type DirectRoutesDeps, directReply } from '../direct-reply.ts';
import { tgiErrors } from '../error-dialects.ts';
import { describeServedModel } from './model-info.ts';
import { READ_TEXT_GENERATION } from './read-text-generation.ts';
import { collectTextGeneration, streamTextGeneration } from './text-generation-reply.ts';
import type { Dialect } from './text-generation-request.ts';
import { generatedEventSchema, generatedSchema, textGenerationRequestSchema } from './text-generation-schema.ts';

export interface HuggingFaceRoutesDeps extends DirectRoutesDeps {
  readonly ready: () => Promise<readonly string[]>;
}

interface TextGenerationInput extends Omit<DirectRequest, 'prompts' | 'model'> {
  readonly body: Uint8Array;
  /** The model that the address names. */
  readonly name?: string;
}

const EVENTS = { type: 'text/event-stream', schema: generatedEventSchema } as const;
const record = { errors: tgiErrors, tag: 'text-generation-inference' } as const;

/** Hugging Face's Inference API (`/models/…`) and text-generation-inference (all other routes). */
export function huggingFaceRoutes(deps: HuggingFaceRoutesDeps): readonly ApiRoute[] {
  const { model, jobs, ready, maxJsonBytes } = deps;
  const generate = async (input: TextGenerationInput, dialect: Dialect, mustStream = false): Promise<Response> => {
    const { body, name, request, principal } = input;
    // Before the body is read: an address that names no model is no address.
    if (name !== undefined) namedModel(model, name);
    const read = { body, dialect, mustStream, ...(name === undefined ? {} : { name }) };
    const generation = await jobs.run(READ_TEXT_GENERATION, read, principal.projectId);
    const chosen = namedModel(model, generation.model);
    return await directReply(
      deps,
      { request, principal, model: chosen, prompts: [generation.prompt] },
      {
        stream: generation.stream
          ? (events, onFailure) => streamTextGeneration(chosen, generation, events, onFailure)
          : null,
        collect: async (events) => {
          const replies = await collectTextGeneration(chosen, generation, events);
          return dialect === 'generate' ? replies[0] : replies;
        },
      },
    );
  };
  const generating = {
    ...record,
    method: 'post',
    access: METERED,
    body: jsonBytes(textGenerationRequestSchema, { maxBytes: maxJsonBytes }),
    bodyExample: { inputs: 'Once upon a time', parameters: { max_new_tokens: 32, temperature: 0.8 } },
  } as const;
  const textOrEvents = (schema: typeof generatedSchema) =>
    ({ 200: { description: 'The text, or events.', content: [{ schema }, EVENTS] } }) as const;
  return [
    defineRoute({
      ...generating,
      path: '/',
      summary: 'Generate, as the root of text-generation-inference',
      replies: textOrEvents(list(generatedSchema)),
      handle: (input) => generate(input, 'compat'),
    }),
    defineRoute({
      ...generating,
      path: '/generate',
      summary: 'Generate',
      replies: textOrEvents(generatedSchema),
      handle: (input) => generate(input, 'generate'),
    }),
    defineRoute({
      ...generating,
      path: '/generate_stream',
      summary: 'Generate, with events',
      replies: { 200: { description: 'Events.', content: [EVENTS] } },
      handle: (input) => generate(input, 'generate', true),
    }),
    defineRoute({
      ...generating,
      path: '/models/:name{.+}',
      summary: 'Generate, as the Inference API of 2022',
      replies: textOrEvents(list(generatedSchema)),
      handle: (input) => generate({ ...input, name: input.path.name }, 'inference'),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/info',
      access: scope('read'),
      summary: 'Get the served model and its limits',
      replies: { 200: json(object({ model_id: text }), 'Model and limits.') },
      handle: () => describeServedModel(model),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/health',
      access: PROBE,
      summary: 'Check whether the server can generate now',
      replies: {
        200: { description: 'The server can generate.' },
        503: json(tgiErrors.schema, 'The server cannot generate now.'),
      },
      handle: async (_, c) =>
        (await ready()).length === 0
          ? c.body(null, 200)
          : c.json({ error: 'unhealthy', error_type: 'healthcheck' }, 503),
    }),
  ];
}
