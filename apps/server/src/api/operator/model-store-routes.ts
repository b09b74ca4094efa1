import type { PullJob, PullJobs, StoredModel } from '@gptj-cloud/model-store';
import {
  ApiError,
  errorBodySchema,
  invalidParameter,
  modelsRemovedSchema,
  type PullGet,
  pullCreateSchema,
  pullGetSchema,
  pullListSchema,
  type StoredModelGet,
  storedModelListSchema,
  toTimestamp,
} from '@gptj-cloud/protocol';
import type { Caller } from '../../audit/audit-log.ts';
import { abortReply } from '../../http/abort-reply.ts';
import { type EventSource, type EventStreamOptions, eventStreamReply } from '../../http/event-stream.ts';
import { jsonBody } from '../../http/json-body.ts';
import { json, media } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type ApiRoute, serverOwner } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import type { DiskSpace } from './overview-routes.ts';

/** The models of this server's data folder. Errors are `ModelStoreError`s. */
export interface ModelStoreAdmin {
  readonly list: () => Promise<readonly StoredModel[]>;
  /** Models of the list that the server has opened, and those that its next start opens. */
  readonly served: () => Promise<readonly StoredModel[]>;
  /** `name` or `name.type`. */
  readonly remove: (name: string) => Promise<readonly StoredModel[]>;
  readonly disk: () => Promise<DiskSpace>;
  readonly pulls: PullJobs;
}

export interface ModelStoreRoutesDeps {
  readonly modelStore: ModelStoreAdmin;
  readonly clock: () => Date;
  readonly logger: Logger;
  readonly waiting: EventStreamOptions;
  /** Writes a change into the audit log. */
  readonly recordChange: (
    caller: Caller,
    action: 'server.model_pull' | 'server.model_pull_cancel' | 'server.model_delete',
    details: Readonly<Record<string, unknown>>,
  ) => Promise<void>;
}

const EVENTS = { type: 'text/event-stream', schema: pullGetSchema } as const;
const PATH = '/v2/admin/models';

/** Stored models and their downloads, for owners of the server. */
export function modelStoreRoutes(deps: ModelStoreRoutesDeps): readonly ApiRoute[] {
  const { modelStore, clock, logger, waiting, recordChange } = deps;
  const { pulls } = modelStore;
  const record = { errors: pipelineCloudErrors, tag: 'server' } as const;
  const findPull = (id: string): PullJob => {
    const job = pulls.get(id);
    if (job === null) throw new ApiError('not_found', { kind: 'pull', id });
    return job;
  };
  return [
    defineRoute({
      ...record,
      method: 'get',
      path: PATH,
      access: serverOwner('see the models of the server'),
      summary: 'List the models in the data folder',
      description: 'Those that were pulled into the data folder of this server. The embedded model is not part of it.',
      replies: { 200: json(storedModelListSchema, 'The models by name and type, and the space that is left.') },
      async handle() {
        const served = new Set((await modelStore.served()).map(({ path }) => path));
        const { freeBytes, totalBytes } = await modelStore.disk();
        return {
          data: (await modelStore.list()).map((model) => toModelGet(model, served.has(model.path))),
          disk: { free_bytes: freeBytes, total_bytes: totalBytes },
        };
      },
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: `${PATH}/:name`,
      access: serverOwner('delete models of the server'),
      summary: 'Delete a model from the data folder',
      description: '`NAME` deletes all its types, `NAME.TYPE` one of them.',
      replies: {
        200: json(modelsRemovedSchema, 'What was deleted, as `NAME.TYPE`.'),
        409: json(errorBodySchema, 'The server serves it, or its settings name it.'),
      },
      async handle({ path: { name }, caller }) {
        const served = (await modelStore.served()).find((model) => [model.name, labelOf(model)].includes(name));
        if (served !== undefined) {
          throw new ApiError('conflict', {
            reason: `the server serves ${labelOf(served)}`,
            remedy: `stop serving it first: GET ${PATH}/served says whether an owner or the settings GPTJ_MODEL and GPTJ_MODELS have it served; GPTJ_DRAFT_MODEL may name it too`,
          });
        }
        const removed = await translated(() => modelStore.remove(name), {
          kind: 'model',
          name,
          inUse: 'do that first, where the other server is',
        });
        await recordChange(caller, 'server.model_delete', { models: removed.map(labelOf) });
        return {
          removed: removed.map(labelOf),
          freed_bytes: removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        };
      },
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: `${PATH}/pulls`,
      access: serverOwner('pull models'),
      summary: 'Download a model of the hub, convert it and keep it in the data folder',
      description:
        'Only names of the hub that `HF_ENDPOINT` configures are accepted, no addresses and no paths. A server makes one pull at a time. ' +
        'What a failed, cancelled or killed pull has downloaded is kept, and the next pull of the same model goes on there.',
      body: jsonBody(pullCreateSchema),
      bodyExample: { from: 'gpt-j-6b', type: 'q8_0' },
      replies: {
        202: json(pullGetSchema, 'The pull, which has begun.'),
        409: json(errorBodySchema, 'Another pull is under way.'),
      },
      async handle({ body, caller }, c) {
        const { from, name = null, type = null } = body;
        // In the audit log first: a pull that it does not have must not begin.
        const onAccepted = ({ id }: PullJob): Promise<void> =>
          recordChange(caller, 'server.model_pull', { pull: id, from, name, type });
        const job = await translated(async () => await pulls.start({ from, name, type }, onAccepted), {
          kind: 'model',
          name: from,
        });
        return c.json(toPullGet(job, clock()), 202);
      },
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: `${PATH}/pulls`,
      access: serverOwner('see the pulls of the server'),
      summary: 'List the pulls of models since the server started',
      description: 'The newest first, at most 20.',
      replies: { 200: json(pullListSchema, 'The pulls and their progress.') },
      handle: async () => ({ data: pulls.list().map((job) => toPullGet(job, clock())) }),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: `${PATH}/pulls/:id`,
      access: serverOwner('see the pulls of the server'),
      summary: 'Get a pull of a model',
      replies: { 200: json(pullGetSchema, 'The pull and its progress.') },
      handle: async ({ path }) => toPullGet(findPull(path.id), clock()),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: `${PATH}/pulls/:id/events`,
      access: serverOwner('see the pulls of the server'),
      summary: 'Follow a pull of a model',
      description:
        'Each event is `pull` with its present state. The first is sent at once, the last has a state other than `running`. ' +
        'A client that reads slowly misses states between, never the last.',
      replies: { 200: media(EVENTS.type, 'The states of the pull.', EVENTS.schema) },
      handle({ path, request }, c) {
        const job = findPull(path.id);
        if (c.req.method === 'HEAD') return c.body(null, 200, { 'content-type': EVENTS.type });
        const watch = pulls.watch(job.id);
        if (watch === null) throw new ApiError('not_found', { kind: 'pull', id: job.id });
        const source: EventSource = {
          async next() {
            const state = await watch.next();
            return state === null ? null : { event: 'pull', data: JSON.stringify(toPullGet(state, clock())) };
          },
          close: () => watch.close(),
        };
        const options = { ...waiting, reauthorize: request.reauthorize };
        return eventStreamReply(source, options, abortReply(request, logger));
      },
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: `${PATH}/pulls/:id/cancel`,
      access: serverOwner('cancel the pulls of the server'),
      summary: 'Cancel a pull of a model',
      description: 'What was downloaded is kept: the same pull goes on there. One that has ended stays as it is.',
      replies: { 200: json(pullGetSchema, 'The pull, which has ended.') },
      async handle({ path, caller }) {
        const { id, state } = findPull(path.id);
        if (state === 'running') await recordChange(caller, 'server.model_pull_cancel', { pull: id });
        return toPullGet((await pulls.cancel(id)) ?? findPull(id), clock());
      },
    }),
  ];
}

/** Errors of the store as those of the API. */
async function translated<Result>(
  work: () => Promise<Result>,
  given: { readonly kind: string; readonly name: string; readonly inUse?: string },
): Promise<Result> {
  const { kind, name, inUse = 'wait until it has ended, or cancel it' } = given;
  try {
    return await work();
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), 'code');
    const message = error instanceof Error ? error.message : '';
    if (code === 'address_invalid') throw invalidParameter('from', message);
    if (code === 'in_use') {
      throw new ApiError('conflict', { reason: message, remedy: inUse });
    }
    if (code !== 'not_found') throw error;
    throw new ApiError('name_unknown', { kind, name, remedy: `see GET ${PATH} for the models of this server` });
  }
}

function labelOf({ name, type }: StoredModel): string {
  return `${name}.${type}`;
}

function toModelGet(model: StoredModel, isServed: boolean): StoredModelGet {
  const { name, type, sizeBytes, sha256, source, storedAt } = model;
  return { name, type, size_bytes: sizeBytes, checksum: sha256, source, stored_at: storedAt, is_served: isServed };
}

function toPullGet(job: PullJob, now: Date): PullGet {
  const { plan, model, doneBytes, totalBytes } = job;
  const rate = job.state === 'running' ? rateOf(job, now) : null;
  return {
    id: job.id,
    from: job.from,
    name: job.name,
    type: job.type,
    state: job.state,
    phase: job.phase,
    done_bytes: doneBytes,
    total_bytes: totalBytes,
    bytes_per_second: rate,
    seconds_left: rate === null ? null : Math.round(Math.max(0, totalBytes - doneBytes) / rate),
    source: job.source,
    plan: plan === null ? null : { type: plan.type, reason: plan.reason, file_bytes: plan.fileBytes },
    waiting: job.waiting,
    warnings: [...job.warnings],
    error: job.error,
    model: model === null ? null : labelOf(model),
    started_at: toTimestamp(job.startedAt),
    ended_at: job.endedAt === null ? null : toTimestamp(job.endedAt),
  };
}

/** Bytes per second since the phase began; null before a second has passed. */
function rateOf({ phaseStartedAt, phaseStartBytes, doneBytes }: PullJob, now: Date): number | null {
  const seconds = (now.getTime() - phaseStartedAt.getTime()) / 1000;
  const bytes = doneBytes - phaseStartBytes;
  return seconds < 1 || bytes <= 0 ? null : Math.round(bytes / seconds);
}
