import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { listAudit } from '../../audit/audit-log.ts';
import { errorReply } from '../../http/error-reply.ts';
import type { Principal } from '../../identity/principal.ts';
import { DEFAULT_PROJECT_ID, FIRST_USER_ID } from '../../identity/users/first-user.ts';
import type { Store } from '../../store/db.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createServerMetrics } from '../../telemetry/metrics/server-metrics.ts';
import { openEmbeddedTestStore } from '../../testing/test-store.ts';
import type { AppEnv } from '../access/app-env.ts';
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

async function ask(path: string, principal: Principal, dump: Store['dump'] = store.dump): Promise<Response> {
  const app = new Hono<AppEnv>();
  const logger = createLogger(
    () => {},
    () => new Date(0),
  );
  app.onError((error, c) => errorReply(error, 'id', logger, c.req));
  app.use(async (c, next) => {
    c.set('principal', principal);
    c.set('clientAddress', '198.51.100.7');
    c.set('requestId', 'request-1');
    await next();
  });
  app.route('/', adminRoutes({ db: store.db, clock: () => new Date(0), dump }));
  app.route('/', metricsRoutes(createServerMetrics().registry));
  return await app.request(path);
}

test('a backup is for owners of the server, and is written into the audit log', async () => {
  const reply = await ask('/v2/admin/backup', OWNER);
  assert.equal(reply.status, 200);
  const tar = gunzipSync(Buffer.from(await reply.arrayBuffer()));
  assert.ok(tar.includes('PG_VERSION'));
  const page = { skip: 0, limit: 10, orderBy: { field: 'created_at', direction: 'desc' } } as const;
  const { data } = await listAudit(store.db, page, { action: 'server.backup' });
  assert.equal(data.length, 1);
});

test('members, and tokens of owners without the scope, get neither backup nor metrics', async () => {
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

test('a server on a PostgreSQL says where its backups are made', async () => {
  const reply = await ask('/v2/admin/backup', OWNER, null);
  assert.equal(reply.status, 409);
  assert.match(await reply.text(), /pg_dump/);
});
