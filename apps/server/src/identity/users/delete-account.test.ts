import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GPTJ_PIPELINE_ID, type RunGet, runGetSchema, tokenGetSchema, userGetSchema } from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import { subscriptions } from '../../metering/billing/billing-tables.ts';
import {
  type Browser,
  mailedSecret,
  PASSWORD,
  postSignedOut,
  refusal,
  registerAndSignIn,
  signInAs,
} from '../../testing/browser.ts';
import { bookOf, planOf } from '../../testing/plans.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';
import { until } from '../../testing/until.ts';
import { FIRST_USER_ID } from './first-user.ts';
import { register } from './registration.ts';
import { toUserGet } from './user.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
});
after(() => it.close());

const remove = (by: Browser, proof: Record<string, unknown> = { password: PASSWORD }): Promise<Response> =>
  by.ask('/v2/auth/delete-account', 'POST', proof);
const asOwner = (method: string, path: string, body?: unknown): Promise<Response> =>
  it.request(path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const rows = async (statement: ReturnType<typeof sql>): Promise<number> => {
  const result: unknown = await it.store.db.execute(statement);
  const list: unknown = Reflect.get(Object(result), 'rows');
  return Number(Reflect.get(Object(Array.isArray(list) ? list[0] : null), 'count'));
};
const makeRun = async (by: Browser): Promise<RunGet> => {
  const body = { pipeline_id: GPTJ_PIPELINE_ID, data: ['private', { response_length: 1 }] };
  return runGetSchema.parse(await (await by.ask('/v2/runs', 'POST', body)).json());
};
const makeToken = async (by: Browser): Promise<string> =>
  tokenGetSchema.parse(await (await by.ask('/v2/tokens', 'POST', { type: 'admin' })).json()).value;
const withToken = (token: string, path = '/v2/users/me'): Promise<Response> =>
  Promise.resolve(it.app.request(path, { headers: { authorization: `Bearer ${token}` } }));

test('deleting an account deletes everything but metered usage and the audit log', async () => {
  const shelley = await registerAndSignIn(it, 'shelley');
  const other = await signInAs(it, 'shelley');
  const token = await makeToken(shelley);
  await makeRun(shelley);
  await shelley.ask('/v2/webhooks', 'POST', { url: 'https://example.com/hook' });
  await shelley.ask('/v2/projects', 'POST', { name: 'second' });
  const userId = shelley.user.id;
  await it.store.db.execute(
    sql`INSERT INTO usage_daily VALUES (${userId}, '2026-01-02', 'p', ${userId}, '', 'gptj', 'free', 1, 2, 3, 0, 4, 5)`,
  );
  assert.equal(await refusal(await remove(shelley, { password: 'Wrong12345' })), '403 password_wrong');
  assert.equal(await refusal(await remove(shelley, {})), '400 invalid_request');
  const reply = await remove(shelley);
  assert.equal(reply.status, 204);
  assert.match(reply.headers.get('set-cookie') ?? '', /^gptj_session=;/);
  for (const by of [shelley, other]) assert.equal(await refusal(await by.ask('/v2/users/me')), '401 session_ended');
  assert.equal(await refusal(await withToken(token)), '401 token_unknown');
  for (const table of ['runs', 'data', 'files', 'webhooks']) {
    assert.equal(await rows(sql.raw(`SELECT count(*) FROM ${table}`)), 0, table);
  }
  assert.equal(await rows(sql`SELECT count(*) FROM projects WHERE owner_id = ${userId}`), 0);
  assert.equal(await rows(sql`SELECT count(*) FROM usage_daily WHERE account_id = ${userId}`), 1);
  assert.equal(await rows(sql`SELECT count(*) FROM audit_log WHERE subject = ${userId} AND action = 'user.delete'`), 1);
  assert.match(it.mails.at(-1)?.text ?? '', /was deleted/);
  // Username and address can be registered again.
  await registerAndSignIn(it, 'shelley');
});

test('refuses to delete an account with open runs or shared projects', async () => {
  const keats = await registerAndSignIn(it, 'keats');
  const severn = await registerAndSignIn(it, 'severn');
  it.engine.hold();
  const { began } = it.engine;
  const run = makeRun(keats);
  await until(() => it.engine.began > began);
  const early = await remove(keats);
  assert.match(await early.clone().text(), /1 runs of the account have not ended/);
  assert.equal(await refusal(early), '409 conflict');
  it.engine.resume();
  await run;
  const project = Reflect.get(Object(await (await keats.ask('/v2/projects')).json()), 'data')[0].id;
  const invited = await keats.ask(`/v2/projects/${project}/members`, 'POST', { username: 'severn' });
  const invitation = Reflect.get(Object(await invited.json()), 'data')[0].id;
  assert.equal((await severn.ask(`/v2/invitations/${invitation}/accept`, 'POST')).status, 204);
  const shared = await remove(keats);
  assert.match(await shared.clone().text(), /projects with other members: default/);
  assert.equal(await refusal(shared), '409 conflict');
  // Deleting a member keeps the owner's project.
  assert.equal((await remove(severn)).status, 204);
  assert.equal((await keats.ask(`/v2/runs/${(await run).id}`)).status, 200);
  assert.equal((await remove(keats)).status, 204);
});

test('refuses to delete an account with an active subscription', async () => {
  const leigh = await registerAndSignIn(it, 'leigh');
  const ids = { provider: 'stripe', subscriptionId: 'sub_1', customerId: 'cus_1', userId: leigh.user.id };
  await it.store.db.insert(subscriptions).values({ ...ids, planId: 'developer', status: 'active', eventAt: NOW });
  assert.match(await (await remove(leigh)).text(), /the account has an active subscription/);
  await it.store.db.execute(sql`UPDATE subscriptions SET status = 'ended'`);
  assert.equal((await remove(leigh)).status, 204);
});

test('a disabled account is refused with its sessions, tokens and sign-ins until it is enabled, which ends its sessions', async () => {
  const trelawny = await registerAndSignIn(it, 'trelawny');
  const path = `/v2/users/${trelawny.user.id}`;
  const token = await makeToken(trelawny);
  await postSignedOut(it, '/v2/auth/forgot-password', { email: 'trelawny@example.com' });
  const link = mailedSecret(it, 'trelawny@example.com');
  assert.equal(await refusal(await trelawny.ask(path, 'PATCH', { disabled: true })), '403 owner_required');
  assert.equal(await refusal(await asOwner('PATCH', path, {})), '400 invalid_request');
  const disabled = userGetSchema.parse(await (await asOwner('PATCH', path, { disabled: true })).json());
  assert.equal(disabled.disabled, true);
  assert.equal(await refusal(await trelawny.ask('/v2/users/me')), '403 account_disabled');
  assert.equal(await refusal(await withToken(token)), '403 account_disabled');
  const login = { login: 'trelawny', password: PASSWORD };
  assert.equal(await refusal(await postSignedOut(it, '/v2/auth/login', login)), '403 account_disabled');
  const wrong = await postSignedOut(it, '/v2/auth/login', { ...login, password: 'Wrong12345' });
  assert.equal(await refusal(wrong), '401 sign_in_failed');
  const reset = await postSignedOut(it, '/v2/auth/reset-password', { token: link, password: 'Another1234' });
  assert.equal(await refusal(reset), '400 link_invalid');
  assert.equal((await asOwner('PATCH', path, { disabled: false })).status, 200);
  assert.equal(await refusal(await trelawny.ask('/v2/users/me')), '401 session_ended');
  assert.equal((await withToken(token)).status, 200);
  // A session that began while the account was disabled is refused, too.
  const late = await signInAs(it, 'trelawny');
  await it.store.db.execute(sql`UPDATE users SET disabled_at = now() WHERE id = ${late.user.id}`);
  assert.equal(await refusal(await late.ask('/v2/users/me')), '403 account_disabled');
});

test('an owner of the server can delete all accounts except the first and their own', async () => {
  const medwin = await registerAndSignIn(it, 'medwin');
  const hogg = await registerAndSignIn(it, 'hogg');
  assert.equal(await refusal(await medwin.ask(`/v2/users/${hogg.user.id}`, 'DELETE')), '403 owner_required');
  assert.equal((await asOwner('DELETE', `/v2/users/${hogg.user.id}`)).status, 204);
  assert.equal(await refusal(await asOwner('DELETE', `/v2/users/${hogg.user.id}`)), '404 not_found');
  assert.equal(await refusal(await asOwner('DELETE', `/v2/users/${FIRST_USER_ID}`)), '409 conflict');
  assert.equal(await refusal(await asOwner('PATCH', `/v2/users/${FIRST_USER_ID}`, { disabled: true })), '409 conflict');
  await asOwner('PATCH', `/v2/users/${medwin.user.id}`, { role: 'owner' });
  const first = await medwin.ask(`/v2/users/${FIRST_USER_ID}`, 'DELETE');
  assert.match(await first.text(), /the first account cannot be deleted/);
  assert.equal((await asOwner('PATCH', `/v2/users/${medwin.user.id}`, { role: 'member' })).status, 200);
});

test('the last enabled owner cannot be removed', async () => {
  let thomas = await registerAndSignIn(it, 'thomas');
  const path = `/v2/users/${thomas.user.id}`;
  await asOwner('PATCH', path, { role: 'owner' });
  const first = `/v2/users/${FIRST_USER_ID}`;
  const eachOther = await Promise.all([
    asOwner('PATCH', path, { disabled: true }),
    thomas.ask(first, 'PATCH', { disabled: true }),
  ]);
  assert.equal(eachOther.filter(({ status }) => status === 200).length, 1);
  await it.store.db.execute(sql`UPDATE users SET disabled_at = NULL WHERE id IN (${thomas.user.id}, ${FIRST_USER_ID})`);
  thomas = await signInAs(it, 'thomas');
  assert.equal((await thomas.ask(first, 'PATCH', { disabled: true })).status, 200);
  assert.equal(await refusal(await asOwner('PATCH', path, { disabled: true })), '403 account_disabled');
  assert.match(await (await remove(thomas)).text(), /the last owner cannot be removed/);
  assert.equal(await refusal(await thomas.ask(path, 'PATCH', { role: 'member' })), '409 conflict');
  assert.equal((await thomas.ask(first, 'PATCH', { disabled: false })).status, 200);
  const twice = await Promise.all([remove(thomas), asOwner('DELETE', path)]);
  assert.equal(twice.filter(({ status }) => status === 204).length, 1);
});

test('new accounts get the default plan of the plan file', async () => {
  const plans = bookOf(planOf('starter'), planOf('large'));
  const caller = { userId: null, apiKeyId: null, address: '', requestId: 'test' };
  const request = { email: 'hunt@example.com', username: 'hunt', password: PASSWORD };
  const user = (await register({ ...it.accounts, plans }, request, caller)) ?? assert.fail('expected an account');
  assert.equal(user.planId, 'starter');
  assert.equal(toUserGet(user, plans).subscribed, false);
  assert.equal(toUserGet({ ...user, planId: 'large' }, plans).subscribed, true);
  assert.equal(toUserGet({ ...user, planId: 'gone' }, plans).subscribed, false);
});
