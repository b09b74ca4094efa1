import {
  environmentGetSchema,
  errorBodySchema,
  hardwareMetricsGetSchema,
  paginatedSchema,
  pipelineGetSchema,
  pipelineMetricsGetSchema,
  pipelineTagCreateSchema,
  pipelineTagGetSchema,
  pipelineTagPageSchema,
  pipelineTagPatchSchema,
  runMetricsGetSchema,
  totalComputeGetSchema,
  webhookCreateSchema,
  webhookDeliveryGetSchema,
  webhookDeliveryPageSchema,
  webhookGetSchema,
  webhookPageSchema,
  webhookPatchSchema,
} from '@gptj-cloud/protocol';
import { json, NO_CONTENT, type Operation, PAGE, query, type Reply } from '../../http/openapi/operation.ts';

function operation(
  tag: string,
  method: Operation['method'],
  path: string,
  summary: string,
  rest: Partial<Operation> & Pick<Operation, 'replies'>,
): Operation {
  return { method, path, tag, summary, access: 'token', ...rest };
}

const pipeline = json(pipelineGetSchema, 'The pipeline.');
const pipelineTag = json(pipelineTagGetSchema, 'The tag.');
const environment = json(environmentGetSchema, 'The environment.');
const webhook = json(webhookGetSchema, 'The webhook.');
/** The server runs no code it is sent. */
const REFUSED: Readonly<Record<number, Reply>> = {
  403: json(errorBodySchema, 'Always: this server does not run code it is sent.'),
};
/** Where clients upload Python code. */
const UPLOADS: readonly string[] = [
  '/v2/pipelines',
  '/v2/functions',
  '/v2/models',
  '/v2/environments',
  '/v2/pipeline-files/initiate-multipart-upload',
  '/v2/pipeline-files/presigned-url',
  '/v2/pipeline-files/finalise-multipart-upload',
];
const SPAN = [
  query('start', 'From here on; Unix time or ISO 8601. Default: a day before the end.'),
  query('end', 'Until before here. Default: now.'),
  query('pipeline_id', 'Of this pipeline alone, by id or tag.'),
];

export const PIPELINE_OPERATIONS: readonly Operation[] = [
  operation('pipelines', 'get', '/v2/pipelines', 'List the built-in pipelines', {
    parameters: PAGE,
    replies: { 200: json(paginatedSchema(pipelineGetSchema), 'A page of pipelines.') },
  }),
  operation('pipelines', 'get', '/v2/pipelines/:id{.+}', 'Look at a pipeline, by id or tag', {
    replies: { 200: pipeline },
  }),
  operation('pipelines', 'post', '/v2/pipeline-tags', 'Name a pipeline', {
    body: [{ schema: pipelineTagCreateSchema }],
    replies: { 201: pipelineTag },
  }),
  operation('pipelines', 'get', '/v2/pipeline-tags', 'List tags', {
    parameters: [...PAGE, query('pipeline_id', 'Of this pipeline alone, by id or tag.')],
    replies: { 200: json(pipelineTagPageSchema, 'A page of tags.') },
  }),
  operation('pipelines', 'get', '/v2/pipeline-tags/by-name/:name{.+}', 'Look at a tag', {
    replies: { 200: pipelineTag },
  }),
  operation('pipelines', 'patch', '/v2/pipeline-tags/:id', 'Point a tag at another pipeline', {
    body: [{ schema: pipelineTagPatchSchema }],
    replies: { 200: pipelineTag },
  }),
  operation('pipelines', 'delete', '/v2/pipeline-tags/:id', 'Delete a tag', { replies: { 204: NO_CONTENT } }),
  operation('pipelines', 'get', '/v2/environments', 'List environments: the one there is', {
    parameters: PAGE,
    replies: { 200: json(paginatedSchema(environmentGetSchema), 'A page of one environment.') },
  }),
  operation('pipelines', 'get', '/v2/environments/by-name/:name{.+}', 'Look at an environment, by name', {
    replies: { 200: environment },
  }),
  operation('pipelines', 'get', '/v2/environments/:id', 'Look at an environment', { replies: { 200: environment } }),
  operation('pipelines', 'patch', '/v2/environments/:id', 'Refused: environments cannot be changed here', {
    replies: REFUSED,
  }),
  operation('pipelines', 'delete', '/v2/environments/:id', 'Refused: environments cannot be changed here', {
    replies: REFUSED,
  }),
  ...UPLOADS.map((path) =>
    operation('pipelines', 'post', path, 'Refused: no code is taken here', { replies: REFUSED }),
  ),

  operation('webhooks', 'post', '/v2/webhooks', 'Be told when runs end', {
    description: 'Deliveries are signed with the secret of the webhook and tried again when they fail.',
    body: [{ schema: webhookCreateSchema }],
    replies: { 201: json(webhookGetSchema, 'The webhook with its secret, this once.') },
  }),
  operation('webhooks', 'get', '/v2/webhooks', 'List webhooks', {
    parameters: PAGE,
    replies: { 200: json(webhookPageSchema, 'A page of webhooks.') },
  }),
  operation('webhooks', 'get', '/v2/webhooks/:id', 'Look at a webhook', { replies: { 200: webhook } }),
  operation('webhooks', 'patch', '/v2/webhooks/:id', 'Change a webhook', {
    body: [{ schema: webhookPatchSchema }],
    replies: { 200: webhook },
  }),
  operation('webhooks', 'delete', '/v2/webhooks/:id', 'Delete a webhook', { replies: { 204: NO_CONTENT } }),
  operation('webhooks', 'get', '/v2/webhooks/:id/deliveries', 'List what was sent to a webhook', {
    parameters: PAGE,
    replies: { 200: json(webhookDeliveryPageSchema, 'A page of deliveries.') },
  }),
  operation('webhooks', 'post', '/v2/webhooks/:id/deliveries/:delivery/replay', 'Send one again', {
    replies: { 201: json(webhookDeliveryGetSchema, 'The new delivery.') },
  }),

  operation('metrics of runs', 'get', '/v2/metrics/runs', 'Runs over time', {
    parameters: [
      ...SPAN,
      query('bucket_count', 'Parts to cut the time into.', { type: 'integer', minimum: 1, default: 100 }),
    ],
    replies: { 200: json(runMetricsGetSchema, 'Buckets of time, all of it, and as long a time before.') },
  }),
  operation('metrics of runs', 'get', '/v2/metrics/pipelines', 'Runs by pipeline', {
    parameters: SPAN,
    replies: { 200: json(pipelineMetricsGetSchema, 'One for each pipeline.') },
  }),
  operation('metrics of runs', 'get', '/v2/metrics/compute', 'Compute in all', {
    parameters: SPAN,
    replies: { 200: json(totalComputeGetSchema, 'Sums, and how they changed.') },
  }),
  operation('metrics of runs', 'get', '/v2/metrics/hardware', 'Runs by kind of resource', {
    parameters: SPAN,
    replies: { 200: json(hardwareMetricsGetSchema, 'One for each kind.') },
  }),
];
