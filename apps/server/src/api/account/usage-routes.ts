import { Hono } from 'hono';
import type { UsageService } from '../../metering/usage/usage-service.ts';
import type { AppEnv } from '../access/app-env.ts';

/** What was used, as JSON and as CSV, and what a month would cost. */
export function usageRoutes(usage: UsageService): Hono<AppEnv> {
  return new Hono<AppEnv>({ strict: false })
    .get('/v2/usage', async (c) => {
      const { from, to, project_id: projectId, group_by: groupBy } = c.req.query();
      return c.json(await usage.list(c.get('principal'), { from, to, projectId, groupBy }));
    })
    .get('/v2/usage.csv', (c) => {
      const { from, to, project_id: projectId } = c.req.query();
      const pages = usage.csv(c.get('principal'), { from, to, projectId });
      return new Response(byteStream(pages), {
        headers: {
          'content-type': 'text/csv; charset=utf-8',
          'content-disposition': 'attachment; filename="usage.csv"',
        },
      });
    })
    .get('/v2/invoice-preview', async (c) => {
      const { month, user_id: userId } = c.req.query();
      return c.json(await usage.invoice(c.get('principal'), { month, userId }));
    });
}

/** Texts as bytes, asked for when the reader has room: a slow one holds a page, not the table. */
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
