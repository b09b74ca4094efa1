import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type TokenGet, tokenGetSchema } from '@gptj-cloud/protocol';
import { eq } from 'drizzle-orm';
import { type Browser, PASSWORD, refusal, registerAndSignIn } from '../../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';
import { apiKeys } from '../identity-tables.ts';

let it: TestApp;
let percy: Browser;
let now: Date;
before(async () => {
  now = NOW;
  it = await openTestApp({ clock: () => now });
  percy = await registerAndSignIn(it, 'percy');
});
after(() => it.close());

async function read(reply: Response, status: number): Promise<TokenGet> {
  assert.equal(reply.status, status, await reply.clone().text());
  return tokenGetSchema.parse(await reply.json());
}
const make = async (body: object): Promise<TokenGet> => read(await percy.ask('/v2/tokens', 'POST', body), 201);
const rotate = async (id: string, body: object = {}): Promise<TokenGet> =>
  read(await percy.ask(`/v2/tokens/${id}/rotate`, 'POST', body), 200);
const use = async (value: string, path = '/v2/users/me'): Promise<Response> =>
  await it.app.request(path, { headers: { authorization: `Bearer ${value}` } });

test('a rotation returns a new value of the same token, and the earlier one works until the overlap ends', async () => {
  const start = now;
  const made = await make({ name: 'ci', scopes: ['run', 'read'], expires_at: start.getTime() / 1000 + 86_400 });
  const rotated = await rotate(made.id, { overlap_seconds: 3600 });
  assert.match(rotated.value, /^gptj_[\w-]{32}$/);
  assert.notEqual(rotated.value, made.value);
  assert.deepEqual(
    [rotated.id, rotated.name, rotated.scopes, rotated.expires_at, rotated.created_at],
    [made.id, made.name, made.scopes, made.expires_at, made.created_at],
  );
  const until = start.getTime() / 1000 + 3600;
  assert.equal(rotated.previous_value_until, until);
  const shown = await read(await percy.ask(`/v2/tokens/${made.id}`), 200);
  assert.deepEqual([shown.value, shown.previous_value_until], [`${rotated.value.slice(0, 9)}••••••••`, until]);

  now = new Date(until * 1000 - 1);
  assert.deepEqual([(await use(made.value)).status, (await use(rotated.value)).status], [200, 200]);
  now = new Date(until * 1000);
  assert.equal(await refusal(await use(made.value)), '401 token_replaced');
  assert.equal((await use(rotated.value)).status, 200);
  now = start;
});

test('without an overlap the earlier value is refused at once, and another rotation ends the one before', async () => {
  const first = await make({});
  const second = await rotate(first.id);
  assert.equal(await refusal(await use(first.value)), '401 token_replaced');
  const third = await rotate(first.id, { overlap_seconds: 60 });
  assert.equal(await refusal(await use(first.value)), '401 token_unknown');
  assert.deepEqual([(await use(second.value)).status, (await use(third.value)).status], [200, 200]);
});

test('to disable or delete a token ends both of its values', async () => {
  const first = await make({});
  const second = await rotate(first.id, { overlap_seconds: 60 });
  await percy.ask(`/v2/tokens/${first.id}`, 'PATCH', { is_enabled: false });
  for (const { value } of [first, second]) assert.equal(await refusal(await use(value)), '401 token_disabled');
  await percy.ask(`/v2/tokens/${first.id}`, 'DELETE');
  for (const { value } of [first, second]) assert.equal(await refusal(await use(value)), '401 token_unknown');
});

test('a rotation is in the audit log without a value, and its user gets a mail when the token has the scope admin', async () => {
  const token = await make({ type: 'admin' });
  const mails = it.mails.length;
  const rotated = await rotate(token.id, { overlap_seconds: 60 });
  assert.match(
    it.mails
      .slice(mails)
      .map(({ subject }) => subject)
      .join(),
    /got another value/,
  );
  const headers = { authorization: 'Bearer test-token-0123456789' };
  const log = await (await it.app.request('/v2/audit-log?action=token.rotate&limit=1', { headers })).text();
  assert.match(log, new RegExp(token.id));
  assert.ok(!log.includes(rotated.value) && !log.includes(token.value));
});

test('a token with the scope admin needs the password of its user to rotate a token', async () => {
  const admin = await make({ type: 'admin' });
  const target = await make({});
  const ask = async (headers: Readonly<Record<string, string>>): Promise<Response> =>
    await it.app.request(`/v2/tokens/${target.id}/rotate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin.value}`, 'content-type': 'application/json', ...headers },
      body: '{}',
    });
  assert.equal(await refusal(await ask({})), '403 confirmation_required');
  assert.equal((await ask({ 'x-confirm-password': PASSWORD })).status, 200);
});

test('refuses to rotate the token that the environment of the server contains', async () => {
  const token = await make({});
  await it.store.db.update(apiKeys).set({ source: 'environment' }).where(eq(apiKeys.id, token.id));
  const reply = await percy.ask(`/v2/tokens/${token.id}/rotate`, 'POST', {});
  assert.equal(await refusal(reply), '409 token_of_environment');
  assert.equal((await use(token.value)).status, 200);
});

test('refuses an overlap of more than a week', async () => {
  const token = await make({});
  const reply = await percy.ask(`/v2/tokens/${token.id}/rotate`, 'POST', { overlap_seconds: 7 * 86_400 + 1 });
  assert.equal(reply.status, 400);
});
