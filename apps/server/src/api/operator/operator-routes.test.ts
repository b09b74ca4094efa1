import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ApiError } from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import { listAudit, recordAudit } from '../../audit/audit-log.ts';
import type { HttpEnv } from '../../http/http-env.ts';
import { createLoadControl } from '../../http/load/request-load.ts';
import { mountRoutes } from '../../http/mount-routes.ts';
import type { Principal } from '../../identity/principal.ts';
import { DEFAULT_PROJECT_ID, FIRST_USER_ID } from '../../identity/users/first-user.ts';
import type { Store } from '../../store/db.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createServerMetrics } from '../../telemetry/metrics/server-metrics.ts';
import { NO_LIMITS } from '../../testing/no-limits.ts';
import { openGuard } from '../../testing/open-guard.ts';
import { openEmbeddedTestStore } from '../../testing/test-store.ts';
import { until } from '../../testing/until.ts';
import { scope } from '../access/access.ts';
import type { Guard } from '../access/guard.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { adminRoutes } from './admin-routes.ts';
import { metricsRoutes } from './metrics-routes.ts';

let store: Store;
before(async () => {
  store = await openEmbeddedTestStore();
});
after(() => store.close());

const OWNER: Principal = {
  userId: FIRST_USER_ID,
  projectId: DEFAULT_PROJECT_ID,
  apiKeyId: null,
  role: 'owner',
  planId: 'free',
  scopes: ['run', 'read', 'write', 'admin'],
};

interface AskOptions {
  readonly dump?: Store['dump'];
  readonly metricsToken?: string;
  readonly init?: RequestInit;
  readonly guard?: Guard;
}

async function ask(path: string, principal: Principal, options: AskOptions = {}): Promise<Response> {
  const app = new Hono<HttpEnv>();
  const clock = (): Date => new Date(0);
  app.use(async (c, next) => {
    c.set('clientAddress', '198.51.100.7');
    c.set('requestId', 'request-1');
    await next();
  });
  const dump = options.dump === undefined ? store.dump : options.dump;
  const routes = [
    ...adminRoutes({
      dump,
      recordBackup: (caller) => recordAudit(store.db, clock(), caller, { action: 'server.backup', subject: null }),
    }),
    ...metricsRoutes(createServerMetrics().registry, options.metricsToken ?? null),
  ];
  mountRoutes(app, routes, {
    loads: createLoadControl(NO_LIMITS),
    guard: options.guard ?? openGuard(principal),
    unknownAccess: () => scope(),
    errors: pipelineCloudErrors,
    logger: createLogger(() => {}, clock),
  });
  return await app.request(path, options.init);
}

test('gives owners a backup and records it in the audit log', async () => {
  const reply = await ask('/v2/admin/backup', OWNER);
  assert.equal(reply.status, 200);
  const tar = gunzipSync(Buffer.from(await reply.arrayBuffer()));
  assert.ok(tar.includes('PG_VERSION'));
  const page = { skip: 0, limit: 10, orderBy: { field: 'created_at', direction: 'desc' } } as const;
  const { data } = await listAudit(store.db, page, { action: 'server.backup' });
  assert.equal(data.length, 1);
});

test('refuses backup and metrics to members, and to tokens of owners without the scope admin', async () => {
  for (const principal of [
    { ...OWNER, role: 'member' },
    { ...OWNER, scopes: ['run', 'read', 'write'] },
  ] as const) {
    assert.equal((await ask('/v2/admin/backup', principal)).status, 403);
    assert.equal((await ask('/metrics', principal)).status, 403);
  }
  const metrics = await ask('/metrics', OWNER);
  assert.equal(metrics.status, 200);
  assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
});

test('names pg_dump as the way to back up a server on PostgreSQL', async () => {
  const reply = await ask('/v2/admin/backup', OWNER, { dump: null });
  assert.equal(reply.status, 409);
  assert.match(await reply.text(), /pg_dump/);
});

test('gives metrics to a scraper with the metrics token, and refuses every other token', async () => {
  const guard: Guard = {
    ...openGuard(OWNER),
    authenticate: async () => {
      throw new ApiError('token_unknown');
    },
  };
  const statusOf = async (metricsToken: string | null, authorization: string | null, method = 'GET') => {
    const init = { method, headers: authorization === null ? {} : { authorization } };
    const token = metricsToken === null ? {} : { metricsToken };
    return (await ask('/metrics', OWNER, { ...token, init, guard })).status;
  };
  assert.equal(await statusOf('secret-token', 'Bearer secret-token'), 200);
  assert.equal(await statusOf('secret-token', 'Bearer secret-tokem'), 401);
  assert.equal(await statusOf('secret-token', 'Bearer secret-token', 'POST'), 401);
  assert.equal(await statusOf('secret-token', null), 401);
  assert.equal(await statusOf(null, 'Bearer null'), 401);
  assert.equal(await statusOf(null, ''), 401);
});

test('makes one backup at a time, and another when the reply was read or its client has gone', async () => {
  const app = new Hono<HttpEnv>();
  let dumps = 0;
  const dump = async function* (): AsyncGenerator<Uint8Array> {
    dumps++;
    for (let part = 0; part < 3; part++) yield new Uint8Array(2 ** 20);
  };
  mountRoutes(app, adminRoutes({ dump, recordBackup: async () => {} }), {
    loads: createLoadControl(NO_LIMITS),
    guard: openGuard(OWNER),
    unknownAccess: () => scope(),
    errors: pipelineCloudErrors,
    logger: createLogger(
      () => {},
      () => new Date(0),
    ),
  });
  const ask = async (): Promise<Response> => await app.request('/v2/admin/backup');
  const first = await ask();
  assert.deepEqual([first.status, (await ask()).status, dumps], [200, 409, 1]);
  await first.body?.cancel();
  const replies = await Promise.all([ask(), ask(), ask()]);
  assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 409, 409]);
  const [made] = replies.filter(({ status }) => status === 200);
  assert.equal((await made?.arrayBuffer())?.byteLength, 3 * 2 ** 20);
  assert.equal((await app.request('/v2/admin/backup', { method: 'HEAD' })).status, 200);
  // The store is left to others for as long as the dump took.
  await until(async () => (await ask()).status === 200);
  assert.equal(dumps, 3);
});
