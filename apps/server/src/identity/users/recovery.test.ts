import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { invitationGetSchema, newId, type Recovery, recoverySchema, tokenGetSchema } from '@gptj-cloud/protocol';
import { eq, sql } from 'drizzle-orm';
import {
  type Browser,
  mailedSecret,
  PASSWORD,
  postSignedOut,
  refusal,
  registerAndSignIn,
  signInAs,
} from '../../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';
import { turnTwoFactorOn } from '../../testing/two-factor.ts';
import { apiKeys, identities, users } from '../identity-tables.ts';
import { FIRST_USER_ID } from './first-user.ts';

const NEW_PASSWORD = 'Frankenstein1818';
let it: TestApp;
let now: Date = NOW;
before(async () => {
  it = await openTestApp({ clock: () => now });
});
after(() => it.close());

const ask = (email: string): Promise<Response> => postSignedOut(it, '/v2/auth/forgot-password', { email });
const reset = (token: string, more: object = {}): Promise<Response> =>
  postSignedOut(it, '/v2/auth/reset-password', { token, password: NEW_PASSWORD, ...more });
const recover = async (email: string, more: object = {}): Promise<Recovery['ended']> => {
  await ask(email);
  const reply = await reset(mailedSecret(it, email), more);
  assert.equal(reply.status, 200, await reply.clone().text());
  return recoverySchema.parse(await reply.json()).ended;
};
const tokenOf = async (by: Browser, projectId?: string): Promise<() => Promise<Response>> => {
  const headers = projectId === undefined ? {} : { 'x-project-id': projectId };
  const reply = await by.ask('/v2/tokens', 'POST', { type: 'admin' }, headers);
  const { value } = tokenGetSchema.parse(await reply.json());
  return () => Promise.resolve(it.app.request('/v2/runs', { headers: { authorization: `Bearer ${value}` } }));
};
const firstProject = async (by: Browser): Promise<string> =>
  Reflect.get(Object(await (await by.ask('/v2/projects')).json()), 'data')[0].id;
const invite = async (owner: Browser, projectId: string, guest: Browser): Promise<void> => {
  const { username } = guest.user;
  const reply = await owner.ask(`/v2/projects/${projectId}/members`, 'POST', { username });
  const [invitation] = Reflect.get(Object(await reply.json()), 'data');
  const { id } = invitationGetSchema.parse(invitation);
  assert.equal((await guest.ask(`/v2/invitations/${id}/accept`, 'POST')).status, 204);
};
const verify = (id: string, at: Date | null) =>
  it.store.db.update(users).set({ verifiedAt: at }).where(eq(users.id, id));

/** Everything that an intruder can leave behind in an account; how to try whether it still works. */
async function intrude(name: string): Promise<{ readonly account: Browser; readonly holds: () => Promise<string[]> }> {
  const account = await registerAndSignIn(it, name);
  const friend = await registerAndSignIn(it, `${name}-friend`);
  const projectId = await firstProject(account);
  const tokens = [await tokenOf(account)];
  await invite(account, projectId, friend);
  tokens.push(await tokenOf(friend, projectId));
  await account.ask(`/v2/projects/${projectId}/invitations`, 'POST', { email: 'later@example.com' });
  await account.ask('/v2/webhooks', 'POST', { url: 'https://example.com/hook' });
  await account.ask('/v2/auth/email', 'POST', { email: `${name}-thief@example.com`, password: PASSWORD });
  const pending = mailedSecret(it, `${name}-thief@example.com`);
  await ask(`${name}@example.com`);
  const otherLink = mailedSecret(it, `${name}@example.com`);
  await it.store.db.insert(identities).values({
    id: newId('identity'),
    userId: account.user.id,
    provider: 'corp',
    issuer: 'https://corp.example',
    subject: name,
    name,
    createdAt: NOW,
  });
  const holds = async (): Promise<string[]> => {
    const tries: readonly (readonly [string, Response])[] = [
      ['session', await account.ask('/v2/users/me')],
      ['token', (await tokens[0]?.()) ?? assert.fail()],
      ['token of a member', (await tokens[1]?.()) ?? assert.fail()],
      ['member', await friend.ask(`/v2/projects/${projectId}/members`)],
      ['link', await reset(otherLink)],
      [
        'change of address',
        await postSignedOut(it, '/v2/auth/change-email', { token: pending, password: NEW_PASSWORD }),
      ],
      ['password', await postSignedOut(it, '/v2/auth/login', { login: name, password: PASSWORD })],
    ];
    const left = tries.filter(([, { ok }]) => ok).map(([what]) => what);
    const counts = {
      identity: await it.store.db.$count(identities, eq(identities.userId, account.user.id)),
      webhook: await countRows(sql`SELECT count(*) FROM webhooks WHERE project_id = ${projectId}`),
      invitation: await countRows(sql`SELECT count(*) FROM project_invitations WHERE project_id = ${projectId}`),
    };
    for (const [what, count] of Object.entries(counts)) if (count > 0) left.push(what);
    return left;
  };
  return { account, holds };
}
const countRows = async (statement: ReturnType<typeof sql>): Promise<number> => {
  const list: unknown = Reflect.get(Object(await it.store.db.execute(statement)), 'rows');
  return Number(Reflect.get(Object(Array.isArray(list) ? list[0] : null), 'count'));
};

test('recovery of an unverified account ends everything that was made before, two-factor included', async () => {
  const { account, holds } = await intrude('victim');
  await turnTwoFactorOn(account, now);
  const thief = await registerAndSignIn(it, 'thief');
  await invite(thief, await firstProject(thief), account);
  const ended = await recover('victim@example.com', { keep: ['tokens', 'members', 'webhooks', 'identities'] });
  assert.deepEqual(ended, {
    sessions: 1,
    tokens: 1,
    identities: 1,
    webhooks: 1,
    members: 1,
    invitations: 1,
    memberships: 1,
    two_factor: true,
  });
  assert.deepEqual(await holds(), []);
  const victim = await signInAs(it, 'victim', NEW_PASSWORD);
  assert.deepEqual([victim.user.verified, victim.user.two_factor], [true, false]);
  const mail = it.mails.findLast(({ to }) => to === 'victim@example.com')?.text ?? '';
  assert.match(mail, /members: 1\ninvitations: 1\nmemberships: 1\ntwo-factor sign-in: turned off/);
});

test('recovery of a verified account ends the same, but keeps two-factor and memberships elsewhere', async () => {
  const { account, holds } = await intrude('percy');
  await verify(account.user.id, NOW);
  const host = await registerAndSignIn(it, 'host');
  await invite(host, await firstProject(host), account);
  const { recoveryCodes } = await turnTwoFactorOn(account, now);
  const ended = await recover('percy@example.com');
  assert.deepEqual([ended.memberships, ended.two_factor, ended.members], [0, false, 1]);
  assert.deepEqual(await holds(), []);
  const login = { login: 'percy', password: NEW_PASSWORD };
  assert.equal(await refusal(await postSignedOut(it, '/v2/auth/login', login)), '401 code_required');
  const withCode = await postSignedOut(it, '/v2/auth/login', { ...login, code: recoveryCodes[0] });
  assert.equal(withCode.status, 200);
});

test('the owner of a verified account can keep what the request names', async () => {
  const { account, holds } = await intrude('mary');
  await verify(account.user.id, NOW);
  const ended = await recover('mary@example.com', { keep: ['members', 'webhooks', 'identities'] });
  assert.deepEqual([ended.tokens, ended.members, ended.webhooks, ended.identities], [1, 0, 0, 0]);
  assert.deepEqual(await holds(), ['token of a member', 'member', 'identity', 'webhook', 'invitation']);
  assert.equal(await refusal(await reset('x'.repeat(32), { keep: ['sessions'] })), '400 invalid_request');
});

test('recovery keeps the token that the environment of the server contains', async () => {
  await it.store.db.update(users).set({ email: 'owner@example.com' }).where(eq(users.id, FIRST_USER_ID));
  await recover('owner@example.com');
  assert.equal((await it.request('/v2/users/me')).status, 200);
  assert.equal(await it.store.db.$count(apiKeys, eq(apiKeys.userId, FIRST_USER_ID)), 1);
});

test('a link to set a password stays valid while others ask for more, of which few are sent', async () => {
  await registerAndSignIn(it, 'harriet');
  await ask('harriet@example.com');
  const token = mailedSecret(it, 'harriet@example.com');
  const sent = () => it.mails.filter(({ to, subject }) => to === 'harriet@example.com' && /new password/.test(subject));
  for (let i = 0; i < 12; i++) await ask('harriet@example.com');
  assert.equal(sent().length, 5);
  now = new Date(NOW.getTime() + 3_599_000);
  assert.equal((await reset(token)).status, 200);
  now = NOW;
});

test('resets refuse common passwords without using the link up', async () => {
  await registerAndSignIn(it, 'claire');
  await ask('claire@example.com');
  const token = mailedSecret(it, 'claire@example.com');
  for (const password of ['Password1', 'claire2024', 'Claire@Example.com', '12345678', 'qwertyuiop']) {
    assert.equal(await refusal(await reset(token, { password })), '400 invalid_request', password);
  }
  assert.equal((await reset(token, { password: 'correct horse battery staple' })).status, 200);
});
