import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Hono } from 'hono';
import { createLogger } from '../../telemetry/logger.ts';
import { NO_LIMITS } from '../../testing/no-limits.ts';
import type { HttpEnv } from '../http-env.ts';
import { mountRoutes } from '../mount-routes.ts';
import { defineRoute } from '../route.ts';
import { createLoadControl } from './request-load.ts';

test('a request counts until its work has ended and its client has left, whichever is later', async () => {
  const errors = { schema: {}, write: ({ status }: { readonly status: number }) => ({ status, body: {} }) };
  const access = { security: [], authorize: async () => ({}) };
  const works: (() => void)[] = [];
  const work = defineRoute({
    method: 'get',
    path: '/work',
    access,
    errors,
    tag: 'test',
    summary: 'Work',
    replies: { 204: { description: 'Done.' } },
    handle: () => new Promise<undefined>((resolve) => works.push(() => resolve(undefined))),
  });
  const app = new Hono<HttpEnv>();
  app.use(async (c, next) => {
    c.set('clientAddress', '198.51.100.1');
    await next();
  });
  mountRoutes(app, [work], {
    loads: createLoadControl({ ...NO_LIMITS, requestsPerAddress: 1 }),
    guard: undefined,
    unknownAccess: () => access,
    errors,
    logger: createLogger(
      () => {},
      () => new Date(0),
    ),
  });
  const leave: (() => void)[] = [];
  const peer = {
    address: '198.51.100.1',
    encrypted: false,
    disconnect: () => {},
    onReplyEnd: (listener: () => void) => void leave.push(listener),
  };
  const send = async (): Promise<number> => (await app.request('/work', {}, { peer })).status;
  const first = send();
  await turn();
  leave[0]?.();
  assert.equal(await send(), 429, 'its client has left, and it works');
  works[0]?.();
  assert.equal(await first, 204);
  const second = send();
  await turn();
  works[1]?.();
  assert.equal(await second, 204);
  assert.equal(await send(), 429, 'its reply is not read');
  leave[1]?.();
  const third = send();
  await turn();
  works[2]?.();
  assert.equal(await third, 204);
});
