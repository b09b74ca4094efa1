import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import {
  GPTJ_PIPELINE_ID,
  type WebhookGet,
  webhookDeliveryGetSchema,
  webhookDeliveryPageSchema,
  webhookGetSchema,
} from '@gptj-cloud/protocol';
import { refusal, registerAndSignIn } from '../../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';

interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let it: TestApp;
let receiver: Server;
let url: string;
let status = 204;
let nowMs = NOW.getTime();
const got: Got[] = [];
before(async () => {
  it = await openTestApp({ webhookPrivateTargets: true, clock: () => new Date(nowMs) });
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
beforeEach(() => {
  got.length = 0;
  status = 204;
  nowMs += 3_600_000;
});
after(async () => {
  await it.close();
  receiver.closeAllConnections();
  receiver.close();
});

const create = async (): Promise<WebhookGet> =>
  webhookGetSchema.parse(await (await it.post('/v2/webhooks', { url })).json());
const deliveries = async (id: string, state: string) =>
  webhookDeliveryPageSchema.parse(await (await it.request(`/v2/webhooks/${id}/deliveries?state=${state}`)).json()).data;

/** The signature of a message with a secret. */
function signatureOf({ headers, body }: Got, secret = ''): string {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

test('sends a test message once, signed, and lists it with its outcome', async () => {
  const hook = await create();
  const reply = await it.post(`/v2/webhooks/${hook.id}/test`, {});
  assert.equal(reply.status, 201);
  const sent = webhookDeliveryGetSchema.parse(await reply.json());
  assert.deepEqual([sent.event, sent.run_id, sent.state], ['webhook.test', null, 'pending']);
  await it.webhooks.idle();
  const [message = assert.fail()] = got;
  assert.equal(message.headers['webhook-signature'], signatureOf(message, hook.secret));
  const body: unknown = JSON.parse(message.body);
  assert.deepEqual(
    [Reflect.get(Object(body), 'type'), Reflect.get(Object(Reflect.get(Object(body), 'data')), 'webhook_id')],
    ['webhook.test', hook.id],
  );
  const [delivered = assert.fail()] = await deliveries(hook.id, 'delivered');
  assert.deepEqual([delivered.id, delivered.response_status, delivered.attempts], [sent.id, 204, 1]);

  status = 500;
  await it.post(`/v2/webhooks/${hook.id}/test`, {});
  await it.webhooks.idle();
  const [failed = assert.fail()] = await deliveries(hook.id, 'failed');
  assert.deepEqual([failed.response_status, failed.attempts], [500, 1], 'a test is not sent again');
  assert.deepEqual(await deliveries(hook.id, 'pending'), []);
  assert.equal((await deliveries(hook.id, '')).length, 2);
  assert.equal(await refusal(await it.request(`/v2/webhooks/${hook.id}/deliveries?state=lost`)), '400 invalid_request');
});

test('sends no test to a disabled webhook', async () => {
  const hook = await create();
  await it.request(`/v2/webhooks/${hook.id}`, { method: 'PATCH', body: JSON.stringify({ is_enabled: false }) });
  assert.equal(await refusal(await it.post(`/v2/webhooks/${hook.id}/test`, {})), '409 webhook_not_ready');
});

test('signs with both secrets while a rotation overlaps, then with the new one alone', async () => {
  const hook = await create();
  const rotate = async (body: object) => {
    const reply = await it.post(`/v2/webhooks/${hook.id}/rotate-secret`, body);
    assert.equal(reply.status, 200, await reply.clone().text());
    return webhookGetSchema.parse(await reply.json());
  };
  const rotated = await rotate({ overlap_seconds: 600 });
  assert.notEqual(rotated.secret, hook.secret);
  assert.equal(rotated.previous_secret_until, nowMs / 1000 + 600);
  const signatures = async (): Promise<string> => {
    got.length = 0;
    await it.post('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', { response_length: 1 }] });
    await it.webhooks.idle();
    const message = got.find(({ headers }) => headers['webhook-signature'] !== undefined) ?? assert.fail();
    return String(
      got.some(
        (each) =>
          each.headers['webhook-signature'] ===
          `${signatureOf(each, rotated.secret)} ${signatureOf(each, hook.secret)}`,
      )
        ? 'both'
        : got.some((each) => each.headers['webhook-signature'] === signatureOf(each, rotated.secret))
          ? 'new'
          : message.headers['webhook-signature'],
    );
  };
  assert.equal(await signatures(), 'both');
  nowMs += 601_000;
  assert.equal(await signatures(), 'new');
  const shown = webhookGetSchema.parse(await (await it.request(`/v2/webhooks/${hook.id}`)).json());
  assert.equal(shown.secret, undefined);
  const atOnce = await rotate({ overlap_seconds: 0 });
  assert.equal(atOnce.previous_secret_until, null);
  assert.equal(
    await refusal(await it.post(`/v2/webhooks/${hook.id}/rotate-secret`, { overlap_seconds: 1e9 })),
    '400 invalid_request',
  );
});

test('asks a session for a confirmation before it shows a new secret', async () => {
  const by = await registerAndSignIn(it, 'percy');
  const hook = webhookGetSchema.parse(await (await by.ask('/v2/webhooks', 'POST', { url })).json());
  nowMs += 16 * 60_000;
  assert.equal(
    await refusal(await by.ask(`/v2/webhooks/${hook.id}/rotate-secret`, 'POST', {})),
    '403 confirmation_required',
  );
  assert.equal((await by.ask(`/v2/webhooks/${hook.id}/test`, 'POST')).status, 201);
});
