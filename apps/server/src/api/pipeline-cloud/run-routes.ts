import {
  projectEventSchema,
  RUN_STATES,
  runCheckSchema,
  runEventSchema,
  runGetSchema,
  runInputGetSchema,
  runPageSchema,
  runStateSchema,
  runSummaryPageSchema,
} from '@gptj-cloud/protocol';
import { z } from 'zod';
import type { PipelineTags } from '../../generation/pipelines/pipeline-tags.ts';
import type { TextModel } from '../../generation/text-model.ts';
import { abortReply } from '../../http/abort-reply.ts';
import { type EventSource, type EventStreamOptions, eventStreamReply } from '../../http/event-stream.ts';
import { jsonBytes } from '../../http/json-body.ts';
import { currentLoad } from '../../http/load/current-load.ts';
import { MOMENT } from '../../http/moment.ts';
import { json, media, NO_CONTENT } from '../../http/openapi/operation.ts';
import { header, PAGE, type Parameter, query } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import { type WaitingReplyOptions, waitingReply } from '../../http/waiting-reply.ts';
import type { ProjectReader } from '../../runs/project-feed.ts';
import { RUN_ORDERS, type RunFilter, type RunOrder } from '../../runs/run-list-store.ts';
import type { RunService } from '../../runs/run-service.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { JobRunner } from '../../workers/job-runner.ts';
import { type ApiRoute, METERED, scope } from '../access/access.ts';
import { runBody } from '../described-json.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { READ_RUN_BODY } from './read-run-body.ts';
import { readerSource } from './reader-source.ts';

export interface RunRoutesDeps {
  readonly runs: RunService;
  readonly jobs: JobRunner<TextModel>;
  readonly logger: Logger;
  readonly tags: PipelineTags;
  readonly maxJsonBytes: number;
  readonly waiting: WaitingReplyOptions & EventStreamOptions;
}

/** Lists can be limited to one pipeline. */
export const PIPELINE_ID: Parameter<string | undefined> = query(
  'pipeline_id',
  'Of this pipeline alone, by id or tag.',
  z.string().optional(),
);

const IDEMPOTENCY_KEY = header(
  'Idempotency-Key',
  'Up to 255 characters. The same key with the same body returns the same run.',
  z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'expected 1 to 255 printable ASCII characters without blanks')
    .optional(),
);

const DIRECTIONS = ['desc', 'asc'] as const;

/** Longer texts cannot be part of a head. */
const MAX_SEARCH_LETTERS = 160;

const ORDER = z
  .enum(RUN_ORDERS.flatMap((field) => DIRECTIONS.map((direction) => `${field}:${direction}` as const)))
  .default('created_at:desc')
  .transform((text) => {
    const [field, direction] = text.split(':') as [RunOrder, (typeof DIRECTIONS)[number]];
    return { field, direction };
  });

const RUN_FILTER = {
  orderBy: query(
    'order_by',
    'Field and direction. By `compute_time_ms` or `computed_tokens`, the list has the runs that have the figure; with `q` only `created_at`.',
    ORDER,
  ),
  view: query(
    'view',
    '`summary`: without inputs, results and tracebacks, with the first 160 letters of prompt and output.',
    z.enum(['full', 'summary']).default('full'),
  ),
  text: query(
    'q',
    'Only runs with this text in the first 160 letters of prompt or output, whatever its case, or in their id. A page compares 10,000 runs: it may have few matches or none, and `next_cursor` goes on. `total` counts the matches so far.',
    z.string().trim().min(1).max(MAX_SEARCH_LETTERS).optional(),
  ),
  tokenId: query(
    'token_id',
    'Only runs that this API token started, or `session` for those of browser sessions.',
    z
      .string()
      .regex(/^(session|token_[0-9a-f]{32})$/, 'expected the id of an API token, or session')
      .optional(),
  ),
  state: query('run_state', 'In this state alone.', z.enum(RUN_STATES).optional()),
  states: query(
    'state',
    'In one of these states, separated by commas.',
    z
      .string()
      .transform((text, context) => {
        const states = z.array(runStateSchema).max(RUN_STATES.length).safeParse(text.split(','));
        if (states.success) return states.data;
        context.addIssue(`expected states out of ${RUN_STATES.join(', ')}, separated by commas`);
        return z.NEVER;
      })
      .optional(),
  ),
  createdAfter: query('created_after', 'Created at this time or later; epoch seconds or ISO 8601.', MOMENT),
  createdBefore: query('created_before', 'Created before this time.', MOMENT),
} as const;

const EVENTS = { type: 'text/event-stream', schema: runEventSchema } as const;

/** Creating, following, listing, cancelling and deleting runs. */
export function runRoutes({ runs, jobs, tags, logger, maxJsonBytes, waiting }: RunRoutesDeps): readonly ApiRoute[] {
  const record = { errors: pipelineCloudErrors, tag: 'runs' } as const;
  return [
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/runs',
      access: METERED,
      summary: 'Run a pipeline',
      description:
        'Answers when the run has ended; with `async_run`, at once; with `stream`, with events. During a long run the server sends spaces before the JSON, which JSON parsers skip. A failed run is answered with 200 and its `error`.',
      parameters: { idempotencyKey: IDEMPOTENCY_KEY },
      body: jsonBytes(runBody, { maxBytes: maxJsonBytes }),
      bodyExample: {
        pipeline_id: 'gpt-j:latest',
        data: ['I met a traveller from an antique land, who said', { response_length: 32, temperature: 0.8 }],
      },
      replies: {
        200: { description: 'The ended run, or its events.', content: [{ schema: runGetSchema }, EVENTS] },
        202: json(runGetSchema, 'The accepted run, with `async_run`.'),
      },
      async handle({ body, parameters, principal, request }, c) {
        const { projectId } = principal;
        const { request: run, input, warnings } = await jobs.run(READ_RUN_BODY, { body }, projectId);
        // Before the run is accepted: a refused stream must not leave one behind.
        if (run.stream ?? false) currentLoad()?.holdStream();
        const accepted = await runs.create({
          principal,
          request: run,
          input,
          warnings,
          idempotencyKey: parameters.idempotencyKey ?? null,
        });
        if (run.stream ?? false) {
          const reader = accepted.events ?? (await runs.events(projectId, accepted.id, null));
          const source = readerSource(reader, () => {
            if (!accepted.isAsync) runs.abandon(projectId, accepted.id);
          });
          return eventStreamReply(
            source,
            { ...waiting, reauthorize: request.reauthorize },
            abortReply(request, logger),
          );
        }
        accepted.events?.close();
        if (accepted.isAsync) return c.json(await runs.get(projectId, accepted.id), 202);
        return await waitingReply(accepted.waitUntilEnded(), waiting, abortReply(request, logger));
      },
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/runs/check',
      access: scope('run'),
      summary: 'Check a run without running it',
      description:
        'Takes the body of a run. Answers with its tokens, its decoding mode, what it may cost, and the error that it would get now. Stores and reserves nothing.',
      body: jsonBytes(runBody, { maxBytes: maxJsonBytes }),
      bodyExample: { pipeline_id: 'gpt-j:latest', data: ['Once upon a time', { response_length: 32 }] },
      replies: { 200: json(runCheckSchema, 'What the run would do.') },
      async handle({ body, principal }) {
        const { request, input, warnings } = await jobs.run(READ_RUN_BODY, { body }, principal.projectId);
        return await runs.check({ principal, request, input, warnings });
      },
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/runs',
      access: scope('run', 'read'),
      summary: 'List the runs of the project',
      parameters: {
        ...PAGE,
        pipelineId: PIPELINE_ID,
        ...RUN_FILTER,
      },
      replies: {
        200: json(z.union([runPageSchema, runSummaryPageSchema]), 'A page of runs, or of their summaries.'),
      },
      async handle({ parameters, principal: { projectId } }) {
        const pipelineId = await tags.idOf(projectId, parameters.pipelineId);
        const { state, states, tokenId, createdAfter, createdBefore, text } = parameters;
        const filter: RunFilter = {
          projectId,
          pipelineId,
          states: state === undefined ? (states ?? null) : [state],
          tokenId: tokenId ?? null,
          createdAfter: createdAfter ?? null,
          createdBefore: createdBefore ?? null,
          text: text ?? null,
        };
        return parameters.view === 'summary'
          ? await runs.listSummaries(filter, parameters)
          : await runs.list(filter, parameters);
      },
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/runs/:id',
      access: scope('run', 'read'),
      summary: 'Get a run',
      replies: { 200: json(runGetSchema, 'The run as it is now.') },
      handle: ({ path, principal }) => runs.get(principal.projectId, path.id),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/runs/:id/input',
      access: scope('run', 'read'),
      summary: 'Get what a run was started with',
      description: 'The prompt and the parameters as JSON. The same as a pickle is the file of its `data`.',
      replies: { 200: json(runInputGetSchema, 'Prompt and parameters, without those that are null.') },
      handle: ({ path, principal }) => runs.input(principal.projectId, path.id),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/events',
      access: scope('run', 'read'),
      summary: 'Follow the runs of the project',
      description:
        'A stream without an end. Its first event is `resync`: list the runs then, and again at every later `resync`. `run` has the summary of a run that was accepted, began or ended; `deleted` has the id of one that is gone.',
      replies: { 200: media(EVENTS.type, 'Changes as they happen.', projectEventSchema) },
      handle({ principal: { projectId }, request }, c) {
        if (c.req.method === 'HEAD') return c.body(null, 200, { 'content-type': EVENTS.type });
        const options = { ...waiting, reauthorize: request.reauthorize };
        return eventStreamReply(projectSource(runs.feed.read(projectId)), options, abortReply(request, logger));
      },
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/runs/:id/events',
      access: scope('run', 'read'),
      summary: 'Follow a run',
      parameters: {
        after: header('Last-Event-ID', 'Continue after this event; browsers send it.', z.string().optional()),
      },
      replies: { 200: media(EVENTS.type, 'Its events, from the beginning or from there on.', EVENTS.schema) },
      async handle({ path, parameters, principal: { projectId }, request }, c) {
        const reader = await runs.events(projectId, path.id, parameters.after ?? null);
        // The reply to HEAD has no body that could hold a stream open.
        if (c.req.method === 'HEAD') {
          reader.close();
          return c.body(null, 200, { 'content-type': EVENTS.type });
        }
        const source = readerSource(reader, () => undefined);
        return eventStreamReply(source, { ...waiting, reauthorize: request.reauthorize }, abortReply(request, logger));
      },
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/runs/:id/cancel',
      access: scope('run'),
      summary: 'Cancel a run',
      replies: { 200: json(runGetSchema, 'The run, failed unless it had ended before.') },
      handle: ({ path, principal }) => runs.cancel(principal.projectId, path.id),
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/runs/:id',
      access: scope('write'),
      summary: 'Delete a run that has ended, with its data and result',
      replies: { 204: NO_CONTENT },
      handle: ({ path, principal }) => runs.remove(principal.projectId, path.id),
    }),
  ];
}

function projectSource(reader: ProjectReader): EventSource {
  return {
    async next() {
      const event = await reader.next();
      if (event === null) return null;
      const { type, ...fields } = event;
      return { event: type, data: JSON.stringify(event.type === 'run' ? event.run : fields) };
    },
    close: () => reader.close(),
  };
}
