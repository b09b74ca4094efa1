import {
  ApiError,
  environmentGetSchema,
  errorBodySchema,
  type PageQuery,
  type Paginated,
  paginatedSchema,
  pipelineGetSchema,
} from '@gptj-cloud/protocol';
import { toPipelineGet } from '../../generation/pipelines/pipeline.ts';
import type { PipelineRegistry } from '../../generation/pipelines/pipeline-registry.ts';
import type { PipelineTags } from '../../generation/pipelines/pipeline-tags.ts';
import { json } from '../../http/openapi/operation.ts';
import { PAGE } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { DEFAULT_ENVIRONMENT, findEnvironment } from './environments.ts';

export interface PipelineRoutesDeps {
  readonly pipelines: PipelineRegistry;
  readonly tags: PipelineTags;
}

/** Addresses where clients upload Python code, and the name of each upload in the error. */
const UPLOADS = [
  ['/v2/pipelines', 'pipelines'],
  ['/v2/functions', 'functions'],
  ['/v2/models', 'models'],
  ['/v2/environments', 'environments'],
  ['/v2/pipeline-files/initiate-multipart-upload', 'pipeline files'],
  ['/v2/pipeline-files/presigned-url', 'pipeline files'],
  ['/v2/pipeline-files/finalise-multipart-upload', 'pipeline files'],
] as const;

const REFUSED = { 403: json(errorBodySchema, 'Always: this server runs no uploaded code.') } as const;
const environmentReply = json(environmentGetSchema, 'The environment.');
const record = { errors: pipelineCloudErrors, tag: 'pipelines' } as const;

/** The built-in pipelines and the one environment; uploads of code are refused with a message that clients show. */
export function pipelineRoutes(deps: PipelineRoutesDeps): readonly ApiRoute[] {
  const { pipelines, tags } = deps;
  return [
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/pipelines',
      access: scope('read'),
      summary: 'List the built-in pipelines',
      parameters: PAGE,
      replies: { 200: json(paginatedSchema(pipelineGetSchema), 'A page of pipelines.') },
      handle: ({ parameters }) =>
        pageOf(
          pipelines.ids.map((id) => pipelines.describe(id)),
          parameters,
        ),
    }),
    defineRoute({
      ...record,
      method: 'get',
      // A tag may hold slashes.
      path: '/v2/pipelines/:id{.+}',
      access: scope('read'),
      summary: 'Get a pipeline by id or tag',
      replies: { 200: json(pipelineGetSchema, 'The pipeline.') },
      handle: async ({ path, principal }) => toPipelineGet(await tags.resolve(principal.projectId, path.id)),
    }),
    ...environmentRoutes(),
    ...uploadRoutes(deps),
  ];
}

function environmentRoutes(): readonly ApiRoute[] {
  return [
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/environments',
      access: scope('read'),
      summary: 'List environments; there is one',
      parameters: PAGE,
      replies: { 200: json(paginatedSchema(environmentGetSchema), 'A page of one environment.') },
      handle: ({ parameters }) => pageOf([DEFAULT_ENVIRONMENT], parameters),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/environments/by-name/:name{.+}',
      access: scope('read'),
      summary: 'Get an environment by name',
      replies: { 200: environmentReply },
      handle: ({ path }) => findEnvironment(path.name),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/environments/:id',
      access: scope('read'),
      summary: 'Get an environment',
      replies: { 200: environmentReply },
      handle: ({ path }) => findEnvironment(path.id),
    }),
  ];
}

function uploadRoutes({ pipelines }: PipelineRoutesDeps): readonly ApiRoute[] {
  const refuse = (kind: string): never => {
    throw new ApiError('upload_refused', { kind, known: pipelines.ids.join(', ') });
  };
  return [
    ...(['patch', 'delete'] as const).map((method) =>
      defineRoute({
        ...record,
        method,
        path: '/v2/environments/:id',
        access: scope('write'),
        summary: 'Refused: environments cannot be changed',
        replies: REFUSED,
        handle: () => refuse('environments'),
      }),
    ),
    ...UPLOADS.map(([path, kind]) =>
      defineRoute({
        ...record,
        method: 'post',
        path,
        access: scope('write'),
        summary: 'Refused: the server accepts no code',
        replies: REFUSED,
        handle: () => refuse(kind),
      }),
    ),
  ];
}

function pageOf<Item>(items: readonly Item[], { skip, limit }: PageQuery<string>): Paginated<Item> {
  return { skip, limit, total: items.length, data: items.slice(skip, skip + limit) };
}
