import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  recoveryCodesSchema,
  tokenGetSchema,
  twoFactorGetSchema,
  userGetDetailedSchema,
  userGetSchema,
} from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import {
  mailedSecret,
  PASSWORD,
  postSignedOut,
  refusal,
  registerAndSignIn,
  registerUser,
  signInAs,
} from '../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../testing/test-app.ts';
import { fromBase32 } from '../testing/two-factor.ts';
import { totp, totpStep } from './two-factor/totp.ts';
import { FIRST_USER_ID } from './users/first-user.ts';
import { ensureOwner } from './users/set-up-owner.ts';

let it: TestApp;
let now: Date = NOW;
before(async () => {
  now = NOW;
  it = await openTestApp({ clock: () => now });
  await registerUser(it, 'percy');
});
after(() => it.close());

const later = (seconds: number): void => {
  now = new Date(now.getTime() + seconds * 1000);
};
const login = (body: Record<string, unknown>): Promise<Response> => postSignedOut(it, '/v2/auth/login', body);
const register = (body: Record<string, unknown>): Promise<Response> =>
  postSignedOut(it, '/v2/auth/register', {
    email: 'someone@example.com',
    username: 'someone',
    password: PASSWORD,
    ...body,
  });

test('refuses usernames, passwords and addresses that break the rules', async () => {
  const wrong: Record<string, unknown>[] = [
    { username: 'ab' },
    { username: 'a'.repeat(25) },
    { username: 'with blank' },
    { username: 'line\r\nbreak' },
    { username: 'name@example.com' },
    { password: 'Short1a' },
    { password: 'nouppercase1' },
    { password: 'NOLOWERCASE1' },
    { password: 'NoDigitsHere' },
    { password: `Aa1${'x'.repeat(198)}` },
    { email: 'no-address' },
    { email: 'a@b\r\nBcc: c@d' },
    { email: 'a@b.com, c@d.com' },
  ];
  for (const body of wrong)
    assert.equal(await refusal(await register(body)), '400 invalid_request', JSON.stringify(body));
});

test('refuses unknown fields of a registration, so that every new user is a member', async () => {
  for (const field of ['role', 'plan_id', 'planId', 'id', 'verified', 'constructor']) {
    assert.equal(await refusal(await register({ [field]: 'owner' })), '400 invalid_request', field);
  }
  const polluted = `{"email":"p@example.com","username":"polluter","password":"${PASSWORD}","__proto__":{"role":"owner"}}`;
  const reply = await it.app.request('/v2/auth/register', {
    method: 'POST',
    body: polluted,
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(await refusal(reply), '400 invalid_request');
  assert.equal(Reflect.get({}, 'role'), undefined);
  const member = await registerUser(it, 'shelley');
  assert.deepEqual([member.role, member.verified, member.subscribed], ['member', false, false]);
});

test('addresses and usernames are unique, ignoring case', async () => {
  assert.equal(await refusal(await register({ username: 'PERCY' })), '409 already_exists');
  assert.equal(await refusal(await register({ email: 'Percy@Example.com' })), '409 already_exists');
});

test('signs in by e-mail address or username, with a cookie that is HttpOnly and SameSite', async () => {
  for (const name of ['Percy@EXAMPLE.com', 'percy']) {
    const reply = await login({ login: name, password: PASSWORD });
    assert.equal(reply.status, 200);
    const cookie = reply.headers.get('set-cookie') ?? '';
    assert.match(cookie, /^gptj_session=[\w-]{43};.*HttpOnly/);
    assert.match(cookie, /SameSite=Lax/);
  }
  assert.doesNotMatch(JSON.stringify(await it.store.db.execute(sql`SELECT * FROM users`)), new RegExp(PASSWORD));
});

test('replies the same to an unknown login and a wrong password', async () => {
  const bodies = await Promise.all(
    ['percy', 'unknown'].map(async (name) => {
      const body: unknown = await (await login({ login: name, password: 'Wrong12345' })).json();
      return JSON.stringify(body).replace(/"request_id":"[^"]*"/, '');
    }),
  );
  assert.equal(bodies[0], bodies[1]);
  assert.match(bodies[0] ?? '', /sign_in_failed/);
});

test('writes with the session cookie require its CSRF token; reads do not', async () => {
  const percy = await signInAs(it, 'percy');
  assert.equal((await percy.ask('/v2/users/me')).status, 200);
  const patch = (headers: Record<string, string>) => percy.ask('/v2/users/me', 'PATCH', { firstname: 'P' }, headers);
  assert.equal((await patch({})).status, 200);
  assert.equal(await refusal(await patch({ 'x-csrf-token': 'x' })), '403 csrf_token_wrong');
  const other = await signInAs(it, 'percy');
  assert.equal(await refusal(await patch({ 'x-csrf-token': other.session.csrf_token })), '403 csrf_token_wrong');
  const plain = await it.app.request('/v2/tokens', { method: 'POST', body: '{}', headers: { cookie: percy.cookie } });
  assert.equal(await refusal(plain), '403 csrf_token_wrong');
});

test('refuses a sign-in from a page of another origin', async () => {
  const signIn = (headers: Record<string, string>) =>
    postSignedOut(it, '/v2/auth/login', { login: 'percy', password: PASSWORD }, { headers });
  const others = ['https://evil.org', 'http://localhost:81', 'http://localhost.evil.org', 'null', 'x'];
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, ...others.map((origin) => ({ origin }))]) {
    assert.equal(await refusal(await signIn(headers)), '403 csrf_token_wrong', JSON.stringify(headers));
  }
  const own = ['http://localhost', 'https://localhost', it.accounts.publicUrl()];
  const proxied = { 'sec-fetch-site': 'same-origin', origin: 'https://behind-a-proxy.example' };
  for (const headers of [{}, proxied, ...own.map((origin) => ({ origin }))]) {
    assert.equal((await signIn(headers)).status, 200, JSON.stringify(headers));
  }
});

test('signing out ends the session; only its user can list and end it', async () => {
  const [one, two] = [await signInAs(it, 'percy'), await signInAs(it, 'percy')];
  const mallory = await registerAndSignIn(it, 'mallory');
  assert.match(await (await one.ask('/v2/auth/sessions')).text(), new RegExp(two.session.id));
  const other = await mallory.ask(`/v2/auth/sessions/${two.session.id}`, 'DELETE');
  assert.equal(await refusal(other), '404 not_found');
  assert.equal((await two.ask('/v2/users/me')).status, 200);
  assert.equal((await one.ask(`/v2/auth/sessions/${two.session.id}`, 'DELETE')).status, 204);
  assert.equal(await refusal(await two.ask('/v2/users/me')), '401 session_ended');
  assert.equal((await one.ask('/v2/auth/logout', 'POST')).status, 204);
  assert.equal(await refusal(await one.ask('/v2/users/me')), '401 session_ended');
});

test('a session ends a week after its last use and a month after sign-in', async () => {
  const start = now;
  const day = 86_400;
  const idle = await signInAs(it, 'percy');
  const used = await signInAs(it, 'percy');
  for (let days = 6; days < 30; days += 6) {
    later(6 * day);
    assert.equal((await used.ask('/v2/users/me')).status, 200, `${days} days`);
  }
  assert.equal(await refusal(await idle.ask('/v2/users/me')), '401 session_ended');
  later(6 * day);
  assert.equal(await refusal(await used.ask('/v2/users/me')), '401 session_ended');
  now = start;
});

test('the mailed link verifies an address once, within two days', async () => {
  const user = await registerUser(it, 'mary');
  const secret = mailedSecret(it, user.email);
  assert.match(it.mails.at(-1)?.text ?? '', /http:\/\/test\/v2\/auth\/verify-email#/);
  const verify = (token: string, password = PASSWORD) =>
    postSignedOut(it, '/v2/auth/verify-email', { token, password });
  assert.equal(
    await refusal(await postSignedOut(it, '/v2/auth/reset-password', { token: secret, password: PASSWORD })),
    '400 link_invalid',
  );
  const start = now;
  later(49 * 3600);
  assert.equal(await refusal(await verify(secret)), '400 link_invalid');
  now = start;
  assert.equal(await refusal(await verify(secret, 'Wrong12345')), '403 password_wrong');
  assert.equal(
    await refusal(await postSignedOut(it, '/v2/auth/verify-email', { token: secret })),
    '403 confirmation_required',
  );
  assert.equal(userGetSchema.parse(await (await verify(secret)).json()).verified, true);
  assert.equal(await refusal(await verify(secret)), '400 link_invalid');
});

test('the mailed link sets a new password and ends every session', async () => {
  const harriet = await registerAndSignIn(it, 'harriet');
  const ask = (email: string) => postSignedOut(it, '/v2/auth/forgot-password', { email });
  const [known, unknown] = [await ask('harriet@example.com'), await ask('unknown@example.com')];
  assert.deepEqual([known.status, await known.text()], [unknown.status, await unknown.text()]);
  assert.ok(!it.mails.some(({ to }) => to === 'unknown@example.com'));
  const token = mailedSecret(it, 'harriet@example.com');
  const weak = await postSignedOut(it, '/v2/auth/reset-password', { token, password: 'weak' });
  assert.equal(await refusal(weak), '400 invalid_request');
  const reset = () => postSignedOut(it, '/v2/auth/reset-password', { token, password: 'Frankenstein1818' });
  assert.equal((await reset()).status, 200);
  assert.equal(await refusal(await reset()), '400 link_invalid');
  assert.equal(await refusal(await harriet.ask('/v2/users/me')), '401 session_ended');
  assert.equal(await refusal(await login({ login: 'harriet', password: PASSWORD })), '401 sign_in_failed');
  await signInAs(it, 'harriet', 'Frankenstein1818');
});

test('changing a password requires the current one and ends the other sessions, and tokens on request', async () => {
  const [here, there] = [await registerAndSignIn(it, 'fanny'), await signInAs(it, 'fanny')];
  const change = (current: string) =>
    here.ask('/v2/auth/password', 'POST', { current_password: current, new_password: 'Frankenstein1818' });
  assert.equal(await refusal(await change('Wrong12345')), '403 password_wrong');
  const token = tokenGetSchema.parse(await (await here.ask('/v2/tokens', 'POST', {})).json()).value;
  const withToken = () => it.app.request('/v2/users/me', { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await change(PASSWORD)).status, 204);
  assert.equal((await withToken()).status, 200);
  const again = { current_password: 'Frankenstein1818', new_password: PASSWORD, revoke_tokens: true };
  assert.equal((await here.ask('/v2/auth/password', 'POST', again)).status, 204);
  assert.equal(await refusal(await withToken()), '401 token_unknown');
  assert.match(it.mails.at(-1)?.text ?? '', /the password of your account was changed/);
  assert.equal((await here.ask('/v2/users/me')).status, 200);
  assert.equal(await refusal(await there.ask('/v2/users/me')), '401 session_ended');
});

test('with two-factor on, sign-in requires a code, and each code works once', async () => {
  const claire = await registerAndSignIn(it, 'claire');
  const begin = (password: string) => claire.ask('/v2/auth/two-factor', 'POST', { password });
  assert.equal(await refusal(await begin('Wrong12345')), '403 password_wrong');
  const { secret, uri } = twoFactorGetSchema.parse(await (await begin(PASSWORD)).json());
  assert.match(uri, new RegExp(`^otpauth://totp/gptj-cloud:claire%40example.com\\?secret=${secret}`));
  const bytes = fromBase32(secret);
  const code = (steps = 0): string => totp(bytes, totpStep(now) + steps);
  const confirm = (typed: string) => claire.ask('/v2/auth/two-factor/confirm', 'POST', { code: typed });
  assert.equal(await refusal(await confirm(code(5))), '401 code_wrong');
  const { recovery_codes: codes } = recoveryCodesSchema.parse(await (await confirm(code())).json());
  assert.equal(codes.length, 10);

  const password = PASSWORD;
  assert.equal(await refusal(await login({ login: 'claire', password })), '401 code_required');
  assert.equal(await refusal(await login({ login: 'claire', password, code: code() })), '401 code_wrong');
  later(30);
  assert.equal((await login({ login: 'claire', password, code: code() })).status, 200);
  assert.equal(await refusal(await login({ login: 'claire', password, code: code() })), '401 code_wrong');
  assert.equal((await login({ login: 'claire', password, code: codes[0] })).status, 200);
  assert.equal(await refusal(await login({ login: 'claire', password, code: codes[0] })), '401 code_wrong');
  const parallel = await Promise.all([1, 2].map(() => login({ login: 'claire', password, code: code(1) })));
  assert.deepEqual(parallel.map(({ status }) => status).sort(), [200, 401]);
  // The failure may have been counted before the success, which clears it, or after.
  later(60);
  assert.equal((await login({ login: 'claire', password, code: code() })).status, 200);

  // Omitting the code in between does not allow more guesses.
  const guesses: string[] = [];
  for (let i = 0; i < 6; i++) {
    guesses.push(await refusal(await login({ login: 'claire', password, code: '000000' })));
    await login({ login: 'claire', password });
  }
  assert.deepEqual(guesses, [...new Array<string>(5).fill('401 code_wrong'), '429 too_many_attempts']);
  later(60);
  assert.equal((await login({ login: 'claire', password, code: codes[1] })).status, 200);

  const disable = (proof: object) => claire.ask('/v2/auth/two-factor/disable', 'POST', { password, ...proof });
  const change = (proof: object) =>
    claire.ask('/v2/auth/password', 'POST', { current_password: password, new_password: password, ...proof });
  for (const act of [disable, change]) {
    assert.equal(await refusal(await act({})), '401 code_required');
    assert.equal(await refusal(await act({ code: codes[1] })), '401 code_wrong');
  }
  assert.equal((await change({ code: codes[2] })).status, 204);
  assert.equal((await disable({ code: codes[3] })).status, 204);
  await signInAs(it, 'claire');
});

test('refuses API tokens, whatever their scopes, for actions that could take over an account', async () => {
  for (const path of ['/v2/auth/password', '/v2/auth/two-factor', '/v2/projects', '/v2/auth/logout']) {
    assert.equal(await refusal(await it.post(path, {})), '403 session_required', path);
  }
});

test('users can change the fields of their own profile and no others', async () => {
  const percy = await signInAs(it, 'percy');
  await registerUser(it, 'trelawny');
  const patch = (body: Record<string, unknown>) => percy.ask('/v2/users/me', 'PATCH', body);
  const changed = userGetSchema.parse(await (await patch({ company: 'The Examiner', firstname: null })).json());
  assert.deepEqual([changed.company, changed.firstname], ['The Examiner', null]);
  for (const body of [{ role: 'owner' }, { email: 'x@y.z' }, { verified: true }, { id: 'x' }, { plan_id: 'premium' }]) {
    assert.equal(await refusal(await patch(body)), '400 invalid_request', JSON.stringify(body));
  }
  assert.equal(await refusal(await patch({ company: 'a\r\nb' })), '400 invalid_request');
  assert.equal(await refusal(await patch({ username: 'TRELAWNY' })), '409 already_exists');
  const me = userGetDetailedSchema.parse(await (await percy.ask('/v2/users/me')).json());
  assert.deepEqual([me.username, me.company, me.role, me.tokens], ['percy', 'The Examiner', 'member', []]);
});

test('only owners of the server manage accounts and roles; the last owner stays an owner', async () => {
  const percy = await signInAs(it, 'percy');
  const target = `/v2/users/${percy.user.id}`;
  assert.equal(await refusal(await percy.ask('/v2/users')), '403 owner_required');
  assert.equal(await refusal(await percy.ask(target, 'PATCH', { role: 'owner' })), '403 owner_required');
  assert.equal(await refusal(await percy.ask('/v2/audit-log')), '403 owner_required');
  const patch = (path: string, role: string) =>
    it.request(path, {
      method: 'PATCH',
      body: JSON.stringify({ role }),
      headers: { 'content-type': 'application/json' },
    });
  assert.equal(await refusal(await patch(`/v2/users/${FIRST_USER_ID}`, 'member')), '409 conflict');
  assert.equal(userGetSchema.parse(await (await patch(target, 'owner')).json()).role, 'owner');
  assert.equal((await percy.ask('/v2/users')).status, 200);
  assert.equal((await patch(target, 'member')).status, 200);
  assert.equal(await refusal(await percy.ask('/v2/users')), '403 owner_required');
});

test('the first owner is set up once, by a link that is returned once', async () => {
  const { accounts } = it;
  const ensured = await ensureOwner(accounts, null);
  const token = typeof ensured === 'object' ? ensured.linkSecret : ensured;
  assert.match(token, /^[\w-]{32}$/);
  assert.equal(await ensureOwner(accounts, null), 'unchanged');
  await postSignedOut(it, '/v2/auth/forgot-password', { email: 'owner@localhost' });
  const body = { email: 'Owner@Example.com', username: 'theowner', password: PASSWORD };
  const setUp = (secret: string) => postSignedOut(it, '/v2/auth/set-up', { ...body, token: secret });
  assert.equal(await refusal(await setUp('x'.repeat(32))), '400 link_invalid');
  assert.equal((await setUp(token)).status, 200);
  assert.equal(await refusal(await setUp(token)), '400 link_invalid');
  const toOldAddress = { token: mailedSecret(it, 'owner@localhost'), password: PASSWORD };
  assert.equal(await refusal(await postSignedOut(it, '/v2/auth/reset-password', toOldAddress)), '400 link_invalid');
  const owner = await signInAs(it, 'owner@example.com');
  assert.deepEqual([owner.user.id, owner.user.role, owner.user.verified], [FIRST_USER_ID, 'owner', true]);
  const again = { email: 'other@example.com', username: 'other', password: 'Other12345' };
  assert.equal(await ensureOwner(accounts, again), 'unchanged');
  await signInAs(it, 'theowner');
});

test('the pages of mailed links allow one script and nothing else', async () => {
  for (const kind of [
    'set-up',
    'verify-email',
    'reset-password',
    'change-email',
    'oauth-code',
    'signed-in',
    'linked',
  ]) {
    const reply = await it.app.request(`/v2/auth/${kind}`);
    assert.equal(reply.status, 200);
    assert.match(
      reply.headers.get('content-security-policy') ?? '',
      /^default-src 'none'; script-src 'sha256-[^']+'; connect-src 'self'/,
    );
  }
});

test('registration can be closed, or limited to invited addresses', async () => {
  const settings = it.accountSettings;
  try {
    settings.registration = 'closed';
    const refused = async (): Promise<string> => JSON.stringify(await (await register({})).json());
    assert.match(
      await refused(),
      /"registration_closed","remedy":"this server accepts no registrations, invited or not/,
    );
    settings.registration = 'invited';
    assert.match(await refused(), /"registration_closed","remedy":"ask an owner of a project/);
    const percy = await signInAs(it, 'percy');
    const { id } = Reflect.get(Object(await (await percy.ask('/v2/projects')).json()), 'data')[0];
    const invited = await percy.ask(`/v2/projects/${id}/invitations`, 'POST', { email: 'someone@example.com' });
    assert.equal(invited.status, 201);
    assert.equal((await register({})).status, 201);
  } finally {
    settings.registration = 'open';
  }
});

test('with required verification, an unverified account can only verify its address', async () => {
  const settings = it.accountSettings;
  try {
    settings.requireVerifiedEmail = true;
    const byron = await registerAndSignIn(it, 'byron');
    assert.equal(await refusal(await byron.ask('/v2/users/me')), '403 email_unverified');
    assert.equal(await refusal(await byron.ask('/v2/tokens', 'POST', {})), '403 email_unverified');
    const old = mailedSecret(it, byron.user.email);
    assert.equal((await byron.ask('/v2/auth/verify-email/send', 'POST')).status, 202);
    const token = mailedSecret(it, byron.user.email);
    assert.equal(await refusal(await postSignedOut(it, '/v2/auth/verify-email', { token: old })), '400 link_invalid');
    // The session of the account stands for its password.
    assert.equal((await byron.ask('/v2/auth/verify-email', 'POST', { token })).status, 200);
    assert.equal((await byron.ask('/v2/users/me')).status, 200);
  } finally {
    settings.requireVerifiedEmail = false;
  }
});
