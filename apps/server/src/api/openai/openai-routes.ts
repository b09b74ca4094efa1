import { namedModel } from '../../generation/text-model.ts';
import { jsonBytes } from '../../http/json-body.ts';
import { json } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import { type ApiRoute, METERED, scope } from '../access/access.ts';
import { list, object } from '../described-json.ts';
import { type DirectRequest, type DirectRoutesDeps, directReply } from '../direct-reply.ts';
import { openAiErrors } from '../error-dialects.ts';
import { completionHead } from './completion-reply.ts';
import { completionRequestSchema, completionSchema, engineSchema, modelSchema } from './completion-schema.ts';
import { collectCompletion, streamCompletion } from './completion-service.ts';
import { describeEngine, describeModel, listEngines, listModels } from './model-list.ts';
import { READ_COMPLETION } from './read-completion.ts';

interface CompletionInput extends Omit<DirectRequest, 'prompts' | 'model'> {
  readonly body: Uint8Array;
  /** The model that the address names. */
  readonly name?: string;
}

/** The part of OpenAI's API that fits a model without chat. */
export function openAiRoutes(deps: DirectRoutesDeps): readonly ApiRoute[] {
  const { model, jobs, clock, maxJsonBytes } = deps;
  const servedSince = clock();
  const record = { errors: openAiErrors, tag: 'OpenAI' } as const;
  const completing = {
    ...record,
    method: 'post',
    access: METERED,
    body: jsonBytes(completionRequestSchema, { maxBytes: maxJsonBytes }),
    bodyExample: { prompt: 'Once upon a time', max_tokens: 32, temperature: 0.8 },
    replies: {
      200: {
        description: 'The completion, or its events.',
        content: [{ schema: completionSchema }, { type: 'text/event-stream', schema: completionSchema }],
      },
    },
  } as const;
  const complete = async ({ body, name, principal, request }: CompletionInput): Promise<Response> => {
    // Before the body is read: an address that names no model is no address.
    if (name !== undefined) namedModel(model, name);
    const read = { body, ...(name === undefined ? {} : { name }) };
    const completion = await jobs.run(READ_COMPLETION, read, principal.projectId);
    const head = completionHead(completion.model, clock());
    const chosen = namedModel(model, completion.model);
    return await directReply(
      deps,
      { request, principal, model: chosen, prompts: completion.prompts },
      {
        stream: completion.stream
          ? (events, onFailure) => streamCompletion(chosen, completion, head, events, onFailure)
          : null,
        collect: (events) => collectCompletion(chosen, completion, head, events),
      },
    );
  };
  return [
    defineRoute({
      ...completing,
      path: '/v1/completions',
      summary: 'Complete prompts',
      handle: ({ body, principal, request }) => complete({ body, principal, request }),
    }),
    defineRoute({
      ...completing,
      path: '/models/:name{.+}/v1/completions',
      summary: 'Complete prompts, at the address that huggingface.js derives from a model URL',
      handle: ({ path, body, principal, request }) => complete({ body, name: path.name, principal, request }),
    }),
    defineRoute({
      ...completing,
      path: '/v1/engines/:name{.+}/completions',
      summary: 'Complete prompts, at the address of 2022, which names the model',
      handle: ({ path, body, principal, request }) => complete({ body, name: path.name, principal, request }),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v1/engines',
      access: scope('run', 'read'),
      summary: 'List models, at the address of 2022',
      replies: { 200: json(object({ object: { const: 'list' }, data: list(engineSchema) }), 'The served models.') },
      handle: () => listEngines(model),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v1/engines/:name{.+}',
      access: scope('run', 'read'),
      summary: 'Get a model, at the address of 2022',
      replies: { 200: json(engineSchema, 'The model.') },
      handle: ({ path }) => describeEngine(model, path.name),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v1/models',
      access: scope('run', 'read'),
      summary: 'List models',
      replies: { 200: json(object({ object: { const: 'list' }, data: list(modelSchema) }), 'The served models.') },
      handle: () => listModels(model, servedSince),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v1/models/:name{.+}',
      access: scope('run', 'read'),
      summary: 'Get a model',
      replies: { 200: json(modelSchema, 'The model.') },
      handle: ({ path }) => describeModel(model, path.name, servedSince),
    }),
  ];
}
