import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { verifyWebhook, type WebhookFault } from './index.ts';
import { RUN } from './testing/stub-fetch.ts';

const NOW = new Date('2026-01-02T03:04:05Z');
const SECRET = `whsec_${Buffer.from('a key of twenty-four byte').toString('base64')}`;
const OTHER = `whsec_${Buffer.from('another key').toString('base64')}`;
const BODY = JSON.stringify({ id: 'm_1', type: 'run.completed', created_at: NOW.getTime() / 1000, data: RUN });

/** The headers as a server signs `body`. */
function signed(body = BODY, { secret = SECRET, at = NOW, id = 'm_1' } = {}): Record<string, string> {
  const time = String(Math.floor(at.getTime() / 1000));
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${signature}` };
}
const options = { secret: SECRET, now: NOW };
const refused = async (promise: Promise<unknown>, code: WebhookFault): Promise<void> =>
  await assert.rejects(promise, { name: 'WebhookVerificationError', code });

test('a signed message is read, from text or bytes and from any kind of headers', async () => {
  const message = await verifyWebhook(BODY, signed(), options);
  assert.deepEqual([message.id, message.type, message.createdAt], ['m_1', 'run.completed', NOW]);
  assert.equal(message.type !== 'webhook.test' && message.run.id, 'run_1');
  const bytes = new TextEncoder().encode(BODY);
  assert.equal((await verifyWebhook(bytes, new Headers(signed()), options)).id, 'm_1');
  const upper = Object.fromEntries(Object.entries(signed()).map(([name, value]) => [name.toUpperCase(), value]));
  assert.equal((await verifyWebhook(BODY, upper, options)).id, 'm_1');
});

test('a test message has no run', async () => {
  const body = JSON.stringify({ id: 'm_2', type: 'webhook.test', created_at: 1, data: {} });
  const message = await verifyWebhook(body, signed(body), options);
  assert.equal(message.type, 'webhook.test');
});

test('one fitting signature of several is enough, with one secret or two', async () => {
  const both = {
    ...signed(),
    'webhook-signature': `v1a,eA== ${signed(BODY, { secret: OTHER })['webhook-signature']} ${signed()['webhook-signature']}`,
  };
  assert.equal((await verifyWebhook(BODY, both, options)).id, 'm_1');
  assert.equal((await verifyWebhook(BODY, signed(), { ...options, secret: [OTHER, SECRET] })).id, 'm_1');
});

test('a changed body, id or time, another secret and a missing signature are refused', async () => {
  await refused(verifyWebhook(`${BODY} `, signed(), options), 'signature_wrong');
  await refused(verifyWebhook(BODY, { ...signed(), 'webhook-id': 'm_9' }, options), 'signature_wrong');
  const later = String(NOW.getTime() / 1000 + 1);
  await refused(verifyWebhook(BODY, { ...signed(), 'webhook-timestamp': later }, options), 'signature_wrong');
  await refused(verifyWebhook(BODY, signed(BODY, { secret: OTHER }), options), 'signature_wrong');
  for (const signature of ['', 'v1', 'v1,', 'v1,!!!!', 'v2,eA==']) {
    const code = signature === '' ? 'headers_invalid' : 'signature_wrong';
    await refused(verifyWebhook(BODY, { ...signed(), 'webhook-signature': signature }, options), code);
  }
});

test('a message outside the tolerance of the clock is refused on both sides, and at its edge accepted', async () => {
  const at = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);
  for (const seconds of [-301, 301]) {
    await refused(verifyWebhook(BODY, signed(BODY, { at: at(seconds) }), options), 'time_out_of_tolerance');
  }
  for (const seconds of [-300, 300]) await verifyWebhook(BODY, signed(BODY, { at: at(seconds) }), options);
  await refused(verifyWebhook(BODY, signed(), { ...options, toleranceSeconds: Number.NaN }), 'time_out_of_tolerance');
  for (const time of ['', '1e3', ' 1', '-1', '0x10']) {
    await refused(verifyWebhook(BODY, { ...signed(), 'webhook-timestamp': time }, options), 'headers_invalid');
  }
});

test('a secret that is none is an error of the program, and a signed body of another form of the message', async () => {
  for (const secret of ['', 'whsec_', 'abc', 'whsec_%']) {
    await assert.rejects(verifyWebhook(BODY, signed(), { ...options, secret }), TypeError);
  }
  await assert.rejects(verifyWebhook(BODY, signed(), { ...options, secret: [] }), TypeError);
  for (const body of ['x', '{}', JSON.stringify({ id: 'm', type: 'other', created_at: 1, data: {} })]) {
    await refused(verifyWebhook(body, signed(body), options), 'body_invalid');
  }
});
