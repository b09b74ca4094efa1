import {
  invoicePreviewSchema,
  storageGetSchema,
  USAGE_BUCKETS,
  USAGE_GROUPS,
  usageCursorSchema,
  usageGetSchema,
} from '@gptj-cloud/protocol';
import { z } from 'zod';
import { byteStream } from '../../http/byte-stream.ts';
import { json, media } from '../../http/openapi/operation.ts';
import { query } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import { MAX_USAGE_ROWS, type UsageService } from '../../metering/usage/usage-service.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

const day = z.string().meta({ format: 'date' }).optional();
const DAYS = {
  from: query('from', 'First day, UTC.', day),
  to: query('to', 'Last day, UTC, part of the time.', day),
  projectId: query(
    'project_id',
    'Another project than the current one, or `all` for owners of the server.',
    z.string().optional(),
  ),
} as const;

/** Usage as JSON and as CSV, stored amounts, and the preview of an invoice. */
export function usageRoutes(usage: UsageService): readonly ApiRoute[] {
  const record = { method: 'get', access: scope('read'), errors: pipelineCloudErrors, tag: 'plans and usage' } as const;
  return [
    defineRoute({
      ...record,
      path: '/v2/usage',
      summary: 'Usage',
      description:
        'Sums of each day, token, pipeline or project; with `bucket`, of each hour or day, alone or by token, pipeline or project. Hours are kept for 62 days, and a reply has up to 31 days of them.',
      parameters: {
        ...DAYS,
        groupBy: query('group_by', 'Grouping of the rows.', z.enum(USAGE_GROUPS).optional()),
        bucket: query('bucket', 'Rows of each hour or day.', z.enum(USAGE_BUCKETS).optional()),
        top: query(
          'top',
          'With bucket: tokens, pipelines or projects with rows of their own; the others are added up under `other`.',
          z.int().min(1).max(50).default(20),
        ),
        limit: query('limit', 'Maximum number of rows. Default: all.', z.int().min(1).max(MAX_USAGE_ROWS).optional()),
        cursor: query(
          'cursor',
          'next_cursor of the page before, with the same parameters.',
          usageCursorSchema.optional(),
        ),
      },
      replies: { 200: json(usageGetSchema, 'Lines and their sum.') },
      handle: ({ parameters, principal }) => usage.list(principal, parameters),
    }),
    defineRoute({
      ...record,
      path: '/v2/usage.csv',
      summary: 'Usage, run by run, for spreadsheets',
      parameters: DAYS,
      replies: { 200: media('text/csv', 'RFC 4180.') },
      handle: ({ parameters, principal }) =>
        new Response(byteStream(usage.csv(principal, parameters)), {
          headers: {
            'content-type': 'text/csv; charset=utf-8',
            'content-disposition': 'attachment; filename="usage.csv"',
          },
        }),
    }),
    defineRoute({
      ...record,
      path: '/v2/storage',
      summary: 'What the account of the project stores, and the limits of its plan',
      replies: { 200: json(storageGetSchema, 'Used amounts and limits.') },
      handle: ({ principal }) => usage.storage(principal),
    }),
    defineRoute({
      ...record,
      path: '/v2/invoice-preview',
      summary: 'Cost of a month by the prices of the plan',
      parameters: {
        month: query('month', 'For example 2026-01.', z.string().optional()),
        userId: query('user_id', 'Another user, for owners of the server.', z.string().optional()),
      },
      replies: { 200: json(invoicePreviewSchema, 'Its lines and their sum.') },
      handle: ({ parameters, principal }) => usage.invoice(principal, parameters),
    }),
  ];
}
