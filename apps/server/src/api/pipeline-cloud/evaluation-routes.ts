import {
  documentChangePageSchema,
  evaluationComparisonSchema,
  evaluationCreateSchema,
  evaluationDocumentPageSchema,
  evaluationGetSchema,
  evaluationPageSchema,
  evaluationPieceSchema,
  MAX_EVALUATION_PIECE_BYTES,
} from '@gptj-cloud/protocol';
import { z } from 'zod';
import type { EvaluationService } from '../../evaluations/evaluation-service.ts';
import type { TextModel } from '../../generation/text-model.ts';
import { jsonBytes } from '../../http/json-body.ts';
import { json, NO_CONTENT } from '../../http/openapi/operation.ts';
import { PAGE, query } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import type { JobRunner } from '../../workers/job-runner.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { READ_EVALUATION, READ_EVALUATION_PIECE, TEST_PERPLEXITIES } from './read-evaluation.ts';

export interface EvaluationRoutesDeps {
  readonly evaluations: EvaluationService;
  readonly jobs: JobRunner<TextModel>;
}

const LIMIT = {
  maxBytes: MAX_EVALUATION_PIECE_BYTES,
  remedy: 'send fewer documents in a piece; no setting raises this limit',
};

const evaluationReply = json(evaluationGetSchema, 'The evaluation, with the number of documents that are stored.');

const ORDERS = ['id:asc', 'id:desc', 'margin:asc', 'margin:desc'] as const;

const DOCUMENTS = {
  skip: PAGE.skip,
  limit: PAGE.limit,
  cursor: PAGE.cursor,
  orderBy: query(
    'order_by',
    'Field and direction. The margin is the log-likelihood of the right request above the best other one.',
    z
      .enum(ORDERS)
      .default('id:asc')
      .transform((order) => ({
        field: order.startsWith('margin') ? ('margin' as const) : ('id' as const),
        direction: order.endsWith('asc') ? ('asc' as const) : ('desc' as const),
      })),
  ),
  task: query('task', 'Index of the task in the report.', z.int().min(0).max(1000).default(0)),
  isRight: query('is_right', 'Only documents with a right answer, or with a wrong one.', z.boolean().optional()),
  by: query('by', 'The accuracy that `is_right` means.', z.enum(['acc', 'acc_norm']).default('acc')),
} as const;

const LONG_TEXTS =
  'Documents with long texts make a page of fewer entries than `limit`: it has up to 8 MiB, and `next_cursor` continues behind them.';

const OTHER = query('other', 'The evaluation that is compared with this one.', z.string().max(100));

const CHANGES = {
  other: OTHER,
  task: DOCUMENTS.task,
  change: query(
    'change',
    'Only documents whose chosen answer differs (`flipped`), or that only the other evaluation has right (`gained`) or wrong (`lost`).',
    z.enum(['flipped', 'gained', 'lost']).optional(),
  ),
  by: query('by', 'The accuracy that `gained` and `lost` mean.', z.enum(['acc', 'acc_norm']).default('acc')),
  skip: PAGE.skip,
  limit: PAGE.limit,
  cursor: PAGE.cursor,
} as const;

/** Reports of evaluations: stored in pieces, listed, read and compared document by document. */
export function evaluationRoutes({ evaluations, jobs }: EvaluationRoutesDeps): readonly ApiRoute[] {
  const record = { errors: pipelineCloudErrors, tag: 'evaluations' } as const;
  return [
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/evaluations',
      access: scope('write'),
      summary: 'Store the report of an evaluation, without its documents',
      description:
        'Documents follow in pieces. A report with a known SHA-256 is not stored again: the reply is the evaluation that has it. It counts as a stored item.',
      body: jsonBytes(evaluationCreateSchema, LIMIT),
      bodyExample: EXAMPLE,
      replies: { 201: evaluationReply },
      handle: async ({ body, principal, caller }) =>
        evaluations.create(principal, await jobs.run(READ_EVALUATION, { body }, principal.projectId), caller),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/evaluations',
      access: scope('read'),
      summary: 'List evaluations',
      description:
        'Reports of many tasks make a page of fewer entries than `limit`: it has up to 4 MiB, and `next_cursor` continues behind them.',
      parameters: PAGE,
      replies: { 200: json(evaluationPageSchema, 'A page of evaluations.') },
      handle: ({ parameters, principal }) => evaluations.list(principal.projectId, parameters),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/evaluations/:id',
      access: scope('read'),
      summary: 'Get an evaluation',
      replies: { 200: evaluationReply },
      handle: ({ path, principal }) => evaluations.get(principal.projectId, path.id),
    }),
    defineRoute({
      ...record,
      method: 'delete',
      path: '/v2/evaluations/:id',
      access: scope('write'),
      summary: 'Delete an evaluation with its documents',
      replies: { 204: NO_CONTENT },
      handle: ({ path, principal, caller }) => evaluations.remove(principal, path.id, caller),
    }),
    defineRoute({
      ...record,
      method: 'post',
      path: '/v2/evaluations/:id/documents',
      access: scope('write'),
      summary: 'Store documents of a task of an evaluation',
      description: 'In any order, and again: documents that are stored stay as they are.',
      body: jsonBytes(evaluationPieceSchema, LIMIT),
      bodyExample: EXAMPLE_PIECE,
      replies: { 200: evaluationReply },
      handle: async ({ path, body, principal }) => {
        // Before the documents are read.
        await evaluations.get(principal.projectId, path.id);
        const piece = await jobs.run(READ_EVALUATION_PIECE, { body }, principal.projectId);
        return await evaluations.addDocuments(principal, path.id, piece);
      },
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/evaluations/:id/documents',
      access: scope('read'),
      summary: 'List the documents of a task of an evaluation',
      description: LONG_TEXTS,
      parameters: DOCUMENTS,
      replies: { 200: json(evaluationDocumentPageSchema, 'A page of documents, with how the model answered them.') },
      handle: ({ path, parameters: { task, isRight, by, ...page }, principal }) =>
        evaluations.documents(principal.projectId, {
          id: path.id,
          task,
          page,
          filter: isRight === undefined ? null : { isRight, by },
        }),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/evaluations/:id/comparison',
      access: scope('read'),
      summary: 'Compare an evaluation with another one',
      description:
        'Document by document: scores of both with paired tests (exact McNemar, bootstrap), flipped answers, divergence. Tasks are compared where both have the same requests; `conflict` where no task has. A project has two comparisons under way at a time; the others wait, and with more than eight in line the reply is 429.',
      parameters: { other: OTHER },
      replies: { 200: json(evaluationComparisonSchema, 'What the other evaluation changes, by task.') },
      handle: ({ path, parameters: { other }, principal: { projectId } }) =>
        evaluations.compare(projectId, { before: path.id, after: other }, (scores) =>
          jobs.run(TEST_PERPLEXITIES, scores, projectId),
        ),
    }),
    defineRoute({
      ...record,
      method: 'get',
      path: '/v2/evaluations/:id/comparison/documents',
      access: scope('read'),
      summary: 'List how the answers to the documents of a task changed',
      description: `Documents whose answer flipped come first, then those whose margin moved most. ${LONG_TEXTS}`,
      parameters: CHANGES,
      replies: { 200: json(documentChangePageSchema, 'A page of documents, with both answers.') },
      handle: ({ path, parameters: { other, task, change, by, ...page }, principal }) =>
        evaluations.changes(principal.projectId, {
          before: path.id,
          after: other,
          task,
          page,
          filter: change === undefined ? null : { kind: change, by },
        }),
    }),
  ];
}

const EXAMPLE = {
  name: 'GPT-J 6B, f16',
  hash: '0'.repeat(64),
  model: { adapter: 'engine', model: 'gpt-j-6b', weights: 'f'.repeat(64), type: 'F16', engine: 'kernels' },
  versions: { 'gptj-cloud': '0.1.0' },
  seeds: { few_shot: 1234, bootstrap: '0 to 99, one for each 1000 samples' },
  limit: 1,
  self_checks: ['chain_rule'],
  skipped_self_checks: [],
  tasks: [
    {
      task: 'piqa',
      version: 1,
      form: 'harness',
      shots: 0,
      document_count: 1,
      request_count: 2,
      data_hash: null,
      requests_hash: '1'.repeat(64),
      metrics: [{ metric: 'acc', value: 1, standard_error: null }],
    },
  ],
};

const EXAMPLE_PIECE = {
  task: 0,
  documents: [
    {
      id: 0,
      gold: 1,
      log_likelihoods: [-12.5, -9.25],
      greedy: [false, false],
      values: { acc: 1 },
      context: 'Question: How to open a door?\nAnswer:',
      choices: [' Push the wall.', ' Turn the handle.'],
      continuation: null,
      answer: null,
    },
  ],
};
