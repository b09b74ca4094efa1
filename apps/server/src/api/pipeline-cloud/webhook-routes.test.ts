import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { after, before, test } from 'node:test';
import {
  GPTJ_PIPELINE_ID,
  pipelineTagGetSchema,
  pipelineTagPageSchema,
  runGetSchema,
  runMetricsGetSchema,
  runPageSchema,
  webhookDeliveryGetSchema,
  webhookDeliveryPageSchema,
  webhookGetSchema,
  webhookPageSchema,
} from '@gptj-cloud/protocol';
import { eq } from 'drizzle-orm';
import { auditLog } from '../../audit/audit-tables.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';

interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let it: TestApp;
let receiver: Server;
let url: string;
let status = 204;
const got: Got[] = [];
before(async () => {
  it = await openTestApp({ webhookPrivateTargets: true });
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      got.push({ headers: request.headers, body });
      response.writeHead(status).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const address = receiver.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/hook`;
});
after(async () => {
  await it.close();
  receiver.closeAllConnections();
  receiver.close();
});

const json = async (reply: Response | Promise<Response>): Promise<unknown> => (await reply).json();
const send = (method: string, path: string, body?: object): Promise<Response> =>
  it.request(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
const run = async () =>
  runGetSchema.parse(
    await json(it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: 1 }] })),
  );

test('sends the end of a run, signed, to the webhooks that subscribe to it', async () => {
  const hook = webhookGetSchema.parse(await json(send('POST', '/v2/webhooks', { url })));
  assert.deepEqual(hook.events, ['run.completed', 'run.failed']);
  const failures = webhookGetSchema.parse(await json(send('POST', '/v2/webhooks', { url, events: ['run.failed'] })));
  const { id } = await run();
  await it.webhooks.idle();
  assert.equal(got.length, 1);
  const { headers, body } = got[0] ?? assert.fail();
  const message: unknown = JSON.parse(body);
  assert.ok(typeof message === 'object' && message !== null && 'data' in message && 'type' in message);
  assert.equal(message.type, 'run.completed');
  assert.deepEqual(
    [runGetSchema.parse(message.data).id, runGetSchema.parse(message.data).result_preview],
    [id, [['x']]],
  );
  const key = Buffer.from((hook.secret ?? '').replace('whsec_', ''), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  assert.equal(headers['webhook-signature'], `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  assert.equal(headers['webhook-timestamp'], String(Math.floor(NOW.getTime() / 1000)));

  const log = webhookDeliveryPageSchema.parse(await json(send('GET', `/v2/webhooks/${hook.id}/deliveries`)));
  assert.deepEqual(
    log.data.map(({ state, run_id, attempts, response_status }) => [state, run_id, attempts, response_status]),
    [['delivered', id, 1, 204]],
  );
  const none = webhookDeliveryPageSchema.parse(await json(send('GET', `/v2/webhooks/${failures.id}/deliveries`)));
  assert.equal(none.total, 0);
  const ofRun = async (runId: string): Promise<number> => {
    const list = send('GET', `/v2/webhooks/${hook.id}/deliveries?run_id=${runId}`);
    return webhookDeliveryPageSchema.parse(await json(list)).total;
  };
  assert.deepEqual([await ofRun(id), await ofRun(`run_${'0'.repeat(32)}`)], [1, 0]);

  const path = `/v2/webhooks/${hook.id}/deliveries/${log.data[0]?.id}/replay`;
  const replay = webhookDeliveryGetSchema.parse(await json(send('POST', path)));
  await it.webhooks.idle();
  assert.equal(got.length, 2);
  assert.equal(got[1]?.headers['webhook-id'], replay.id);
  for (const { id } of [hook, failures]) assert.equal((await send('DELETE', `/v2/webhooks/${id}`)).status, 204);
});

test('retries a failing receiver later, and sends a disabled one nothing', async () => {
  const hook = webhookGetSchema.parse(await json(send('POST', '/v2/webhooks', { url })));
  status = 500;
  await run();
  await it.webhooks.idle();
  status = 204;
  const path = `/v2/webhooks/${hook.id}`;
  const [delivery] = webhookDeliveryPageSchema.parse(await json(send('GET', `${path}/deliveries`))).data;
  assert.deepEqual([delivery?.state, delivery?.attempts, delivery?.response_status], ['pending', 1, 500]);
  assert.equal(delivery?.due_at, NOW.getTime() / 1000 + 10);
  const before = got.length;
  assert.equal(webhookGetSchema.parse(await json(send('PATCH', path, { is_enabled: false }))).is_enabled, false);
  await run();
  await it.webhooks.idle();
  assert.equal(got.length, before);
  await send('DELETE', path);
});

test('shows the secret of a webhook once, and refuses unknown fields', async () => {
  const hook = webhookGetSchema.parse(await json(send('POST', '/v2/webhooks', { url })));
  assert.match(hook.secret ?? '', /^whsec_/);
  const page = webhookPageSchema.parse(await json(send('GET', '/v2/webhooks')));
  assert.deepEqual([page.total, page.data[0]?.secret], [1, undefined]);
  const path = `/v2/webhooks/${hook.id}`;
  assert.equal(webhookGetSchema.parse(await json(send('GET', path))).secret, undefined);
  for (const body of [{ secret: 'x' }, { project_id: 'x' }, { events: [] }, { events: ['run.started'] }]) {
    assert.equal((await send('PATCH', path, body)).status, 400, JSON.stringify(body));
  }
  assert.equal((await send('PATCH', path, { url: 'ftp://x' })).status, 400);
  for (let i = 1; i < 20; i++) assert.equal((await send('POST', '/v2/webhooks', { url })).status, 201);
  assert.equal((await send('POST', '/v2/webhooks', { url })).status, 409);
  assert.equal((await send('GET', '/v2/webhooks/webhook_x')).status, 404);
});

test('records changes of webhooks in the audit log, with their host and without secrets', async () => {
  for (const { id } of webhookPageSchema.parse(await json(send('GET', '/v2/webhooks?limit=100'))).data) {
    await send('DELETE', `/v2/webhooks/${id}`);
  }
  const address = `${url}/secret?key=secret`;
  const { id } = webhookGetSchema.parse(await json(send('POST', '/v2/webhooks', { url: address })));
  await send('PATCH', `/v2/webhooks/${id}`, { is_enabled: false });
  await send('PATCH', `/v2/webhooks/${id}`, { url: 'ftp://x' });
  await send('DELETE', `/v2/webhooks/${id}`);
  await send('DELETE', `/v2/webhooks/${id}`);
  const rows = await it.store.db.select().from(auditLog).where(eq(auditLog.subject, id)).orderBy(auditLog.id);
  const { host } = new URL(url);
  assert.deepEqual(
    rows.map(({ action, details }) => [action, JSON.parse(details)]),
    [
      ['webhook.create', { host, enabled: true }],
      ['webhook.update', { host, enabled: false }],
      ['webhook.delete', { host, enabled: false }],
    ],
  );
});

test('names pipelines of a project by tags, as the clients use them', async () => {
  const name = 'team/gpt-j:v1';
  const create = (body: object): Promise<Response> => send('POST', '/v2/pipeline-tags', body);
  const tag = pipelineTagGetSchema.parse(await json(create({ name, pipeline_id: 'gpt-j:latest' })));
  assert.deepEqual([tag.name, tag.pipeline_id], [name, GPTJ_PIPELINE_ID]);
  assert.deepEqual(await json(send('GET', `/v2/pipeline-tags/by-name/${name}`)), tag);
  const builtIn = pipelineTagGetSchema.parse(await json(send('GET', '/v2/pipeline-tags/by-name/gpt-j:latest')));
  assert.equal(builtIn.pipeline_id, GPTJ_PIPELINE_ID);
  for (const path of ['/v2/pipeline-tags/by-name/no:tag', '/v2/environments/by-name/none']) {
    assert.match(JSON.stringify(await json(send('GET', path))), /name_unknown.*GET \/v2\/\S+ lists/);
  }
  const reply = await it.post('/v2/runs', { pipeline_id: name, data: ['hi', { response_length: 1 }] });
  assert.equal(runGetSchema.parse(await reply.json()).run_state, 'complete');
  assert.equal((await send('GET', `/v2/pipelines/${name}`)).status, 200);
  for (const taken of [name, 'gpt-j:latest']) {
    assert.equal((await create({ name: taken, pipeline_id: GPTJ_PIPELINE_ID })).status, 409);
  }
  for (const bad of ['no tag', 'x:y', 'X1:y', 'x1:-y', 'x1/:y']) {
    const body = JSON.stringify(await json(create({ name: bad, pipeline_id: GPTJ_PIPELINE_ID })));
    assert.match(body, /invalid_request.*the name of 2 or more characters/, bad);
  }
  assert.equal((await create({ name: 'a1:b', pipeline_id: 'unknown' })).status, 404);
  const list = async (query: string): Promise<number> =>
    pipelineTagPageSchema.parse(await json(send('GET', `/v2/pipeline-tags?${query}`))).total;
  assert.deepEqual(
    [await list('skip=0&limit=5&order_by=created_at%3Adesc&pipeline_id='), await list('pipeline_id=x')],
    [1, 0],
  );
  // A filter takes ids and tags, as a run does.
  const runs = async (pipeline: string): Promise<number> =>
    runPageSchema.parse(await json(send('GET', `/v2/runs?pipeline_id=${pipeline}`))).total;
  const made = await runs(GPTJ_PIPELINE_ID);
  assert.ok(made > 0);
  for (const tagged of [name, 'gpt-j:latest']) {
    assert.equal(await runs(tagged), made, tagged);
    assert.equal(await list(`pipeline_id=${tagged}`), 1, tagged);
    const compute = await json(send('GET', `/v2/metrics/compute?pipeline_id=${tagged}`));
    assert.deepEqual(compute, await json(send('GET', `/v2/metrics/compute?pipeline_id=${GPTJ_PIPELINE_ID}`)), tagged);
  }
  assert.equal(await runs('pipeline_of_old'), 0);
  for (const path of ['runs', 'pipeline-tags', 'metrics/runs']) {
    assert.equal((await send('GET', `/v2/${path}?pipeline_id=no:tag`)).status, 404, path);
  }
  const moved = await json(send('PATCH', `/v2/pipeline-tags/${tag.id}`, { pipeline_id: GPTJ_PIPELINE_ID }));
  assert.deepEqual(moved, tag);
  assert.equal((await send('DELETE', `/v2/pipeline-tags/${tag.id}`)).status, 204);
  assert.equal((await send('DELETE', `/v2/pipeline-tags/${tag.id}`)).status, 404);
});

test('shows environments and refuses to change them', async () => {
  const name = 'public/mystic-default-20230126';
  const environment = await json(send('GET', `/v2/environments/by-name/${name}`));
  assert.ok(typeof environment === 'object' && environment !== null && 'id' in environment);
  assert.deepEqual(await json(send('GET', `/v2/environments/${environment.id}`)), environment);
  assert.equal((await send('GET', '/v2/environments?public=true')).status, 200);
  assert.equal((await send('PATCH', `/v2/environments/${environment.id}`, { locked: false })).status, 403);
  assert.equal((await send('POST', '/v2/environments', { name: 'x' })).status, 403);
});

test('counts runs by time, pipeline and resource', async () => {
  await run();
  it.engine.failures.push(new Error('broken'));
  await run();
  const end = NOW.getTime() / 1000 + 10;
  const query = `start=${end - 100}&end=${end}&bucket_count=10`;
  const metrics = runMetricsGetSchema.parse(await json(send('GET', `/v2/metrics/runs?${query}`)));
  const { overall_bucket: overall, metrics_buckets: buckets } = metrics;
  assert.equal(buckets.length, 10);
  // All runs were created at the same time, ten seconds before the end.
  assert.equal(buckets[9]?.run_count, overall.run_count);
  assert.equal(metrics.preceding_bucket.run_count, 0);
  assert.ok(overall.run_count >= 2 && (overall.success_rate ?? 1) < 1);
  assert.equal(overall.average_runtime, 13);
  for (const path of ['pipelines', 'compute', 'hardware']) {
    assert.equal((await send('GET', `/v2/metrics/${path}?${query}`)).status, 200, path);
  }
  for (const bad of ['start=x', 'bucket_count=0', `start=${end}&end=${end}`, 'start=0']) {
    assert.equal((await send('GET', `/v2/metrics/runs?${bad}`)).status, 400, bad);
  }
});
