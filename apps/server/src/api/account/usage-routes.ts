import { invoicePreviewSchema, USAGE_GROUPS, usageGetSchema } from '@gptj-cloud/protocol';
import { z } from 'zod';
import { json, media } from '../../http/openapi/operation.ts';
import { query } from '../../http/parameter.ts';
import { defineRoute } from '../../http/route.ts';
import type { UsageService } from '../../metering/usage/usage-service.ts';
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

/** Usage as JSON and as CSV, and the preview of an invoice. */
export function usageRoutes(usage: UsageService): readonly ApiRoute[] {
  const record = { method: 'get', access: scope('read'), errors: pipelineCloudErrors, tag: 'plans and usage' } as const;
  return [
    defineRoute({
      ...record,
      path: '/v2/usage',
      summary: 'Usage',
      parameters: { ...DAYS, groupBy: query('group_by', 'Grouping of the rows.', z.enum(USAGE_GROUPS).optional()) },
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

/** Texts as bytes, pulled when the client has read the ones before: a slow client keeps one page in memory, not the table. */
function byteStream(texts: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const iterator = texts[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}
