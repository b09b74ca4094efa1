import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import {
  adminOverviewSchema,
  adminRunPageSchema,
  GPTJ_PIPELINE_ID,
  maintenanceGetSchema,
  paginatedSchema,
  runGetSchema,
  userAdminGetSchema,
} from '@gptj-cloud/protocol';
import { listAudit } from '../../audit/audit-log.ts';
import { createMaintenance } from '../../metering/maintenance/maintenance.ts';
import { type Browser, refusal, registerAndSignIn } from '../../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';

let it: TestApp;
let member: Browser;
let nowMs = NOW.getTime();
before(async () => {
  it = await openTestApp({ clock: () => new Date(nowMs), queue: { running: 1, waiting: 3 } });
  member = await registerAndSignIn(it, 'percy');
});
afterEach(async () => {
  it.engine.resume();
  await setMaintenance({ is_on: false });
});
after(() => it.close());

const RUN = { pipeline_id: GPTJ_PIPELINE_ID, data: ['a prompt', { response_length: 1 }] };
const setMaintenance = (body: unknown) =>
  it.request('/v2/admin/maintenance', { method: 'PATCH', body: JSON.stringify(body) });
const queue = async () => {
  const reply = await it.request('/v2/admin/runs');
  assert.equal(reply.status, 200, (await reply.clone().text()) + it.logLines.slice(-3).join(''));
  return adminRunPageSchema.parse(await reply.json());
};

test('shows owners of the server the queue of all projects, without inputs, and cancels one of its runs', async () => {
  it.engine.hold();
  const start = async (ask: (body: unknown) => Promise<Response>): Promise<string> =>
    runGetSchema.parse(await (await ask({ ...RUN, async_run: true })).json()).id;
  const first = await start((body) => it.post('/v2/runs', body));
  const second = await start((body) => member.ask('/v2/runs', 'POST', body));
  nowMs += 2500;
  const { total, data } = await queue();
  assert.equal(total, 2);
  assert.deepEqual(
    data.map(({ id, state, user, waited_ms: waited }) => [id, state, user.username, waited]),
    [
      [first, 'running', data[0]?.user.username, 0],
      [second, 'received', 'percy', 2500],
    ],
  );
  assert.ok(!JSON.stringify(data).includes('a prompt'));
  const overview = adminOverviewSchema.parse(await (await it.request('/v2/admin/overview')).json());
  assert.deepEqual(overview.runs, { received: 1, running: 1, oldest_waiting_ms: 2500 });
  assert.deepEqual(
    [overview.users.total, overview.users.owners, overview.users.disabled, overview.users.active_today],
    [2, 1, 0, 2],
  );
  assert.ok(overview.store.bytes > 1_000_000);
  assert.equal((await it.request(`/v2/admin/runs/${second}/cancel`, { method: 'POST' })).status, 204);
  assert.deepEqual(
    (await queue()).data.map(({ id }) => id),
    [first],
  );
  const cancelled = runGetSchema.parse(await (await member.ask(`/v2/runs/${second}`)).json());
  assert.equal(cancelled.run_state, 'failed');
  assert.equal(await refusal(await it.request(`/v2/admin/runs/${second}/cancel`, { method: 'POST' })), '404 not_found');
  const page = { skip: 0, limit: 10, orderBy: { field: 'created_at', direction: 'desc' } } as const;
  const [entry] = (await listAudit(it.store.db, page, { action: 'server.run_cancel' })).data;
  assert.equal(entry?.subject, second);
});

test('refuses new runs and generations during maintenance, with the sentence of the operator', async () => {
  const on = await setMaintenance({ is_on: true, message: 'New disks until noon.', retry_after_seconds: 600 });
  assert.deepEqual(maintenanceGetSchema.parse(await on.json()), {
    is_on: true,
    message: 'New disks until noon.',
    retry_after_seconds: 600,
    since: nowMs / 1000,
  });
  const refused = await it.post('/v2/runs', RUN);
  assert.equal(refused.headers.get('retry-after'), '600');
  const { detail } = Object(await refused.json());
  assert.deepEqual([refused.status, detail.code, detail.message], [503, 'maintenance', 'New disks until noon.']);
  const completion = { prompt: 'a', max_tokens: 1 };
  assert.equal((await it.post('/v1/completions', completion)).status, 503);
  assert.equal((await it.request('/readyz')).status, 200);
  assert.equal((await it.request('/v2/runs')).status, 200);
  const changed = maintenanceGetSchema.parse(await (await setMaintenance({ is_on: true, message: 'Later.' })).json());
  assert.deepEqual([changed.message, changed.retry_after_seconds], ['Later.', 600]);
  assert.equal((await setMaintenance({ is_on: false })).status, 200);
  assert.equal((await it.post('/v2/runs', RUN)).status, 200);
});

test('other servers of the store, and the next start, read the maintenance from the store', async () => {
  await setMaintenance({ is_on: true, message: 'New disks until noon.' });
  const other = createMaintenance({
    db: it.store.db,
    clock: () => new Date(nowMs),
    isShared: false,
    onError: () => assert.fail('the store is there'),
  });
  assert.equal(other.current(), null);
  await other.refresh();
  assert.equal(other.current()?.message, 'New disks until noon.');
  await other.close();
});

test('runs with a known idempotency key are found during maintenance', async () => {
  const send = () =>
    it.request('/v2/runs', {
      method: 'POST',
      body: JSON.stringify(RUN),
      headers: { 'idempotency-key': 'once', 'content-type': 'application/json' },
    });
  const before = runGetSchema.parse(await (await send()).json());
  await setMaintenance({ is_on: true });
  assert.equal(runGetSchema.parse(await (await send()).json()).id, before.id);
});

test('refuses a sentence that is not one line', async () => {
  for (const bad of [{ is_on: true, message: 'a\nb' }, { is_on: true, message: 'x'.repeat(301) }, { message: 'a' }]) {
    assert.equal(await refusal(await setMaintenance(bad)), '400 invalid_request');
  }
});

test('refuses members of the server, and tokens of its owners without the scope admin', async () => {
  const addresses = [
    ['GET', '/v2/admin/overview'],
    ['GET', '/v2/admin/runs'],
    ['POST', '/v2/admin/runs/run_1/cancel'],
    ['PATCH', '/v2/admin/maintenance'],
    ['GET', '/v2/users'],
  ] as const;
  const owner = await registerAndSignIn(it, 'second_owner');
  await it.request(`/v2/users/${owner.user.id}`, { method: 'PATCH', body: JSON.stringify({ role: 'owner' }) });
  const made = await owner.ask('/v2/tokens', 'POST', { type: 'editor' });
  const editor = String(Reflect.get(Object(await made.json()), 'value'));
  for (const [method, path] of addresses) {
    const body = method === 'GET' ? undefined : { is_on: true };
    assert.equal(await refusal(await member.ask(path, method, body)), '403 owner_required', path);
    const reply = await it.app.request(path, {
      method,
      headers: { authorization: `Bearer ${editor}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert.equal(await refusal(reply), '403 scope_missing', path);
  }
});

test('finds users by a part of their names, role, plan and state', async () => {
  await registerAndSignIn(it, 'mary_ann');
  await registerAndSignIn(it, 'maryXann');
  await member.ask('/v2/runs', 'POST', RUN);
  const find = async (query: string) => {
    const reply = await it.request(`/v2/users?${query}`);
    assert.equal(reply.status, 200, (await reply.clone().text()) + it.logLines.slice(-3).join(''));
    return paginatedSchema(userAdminGetSchema).parse(await reply.json()).data;
  };
  const names = async (query: string) => (await find(query)).map(({ username }) => username).sort();
  assert.deepEqual(await names('q=MARY'), ['maryXann', 'mary_ann']);
  assert.deepEqual(await names('q=mary_'), ['mary_ann']);
  assert.deepEqual(await names('q=%25'), []);
  assert.equal((await names('role=owner')).length, 2);
  assert.deepEqual(await names('role=member&q=percy@example'), ['percy']);
  assert.deepEqual(await names('plan_id=unknown'), []);
  const [percy = assert.fail()] = await find('q=percy');
  assert.equal(percy.last_seen, percy.created_at);
  assert.equal(percy.plan_id, 'free');
  await it.request(`/v2/users/${percy.id}`, { method: 'PATCH', body: JSON.stringify({ disabled: true }) });
  assert.deepEqual(await names('disabled=true'), ['percy']);
  assert.deepEqual(await names('disabled=false&q=percy'), []);
});
