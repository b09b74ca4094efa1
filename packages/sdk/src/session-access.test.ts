import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthenticationError, PermissionDeniedError, PipelineCloud, SessionEndedError } from './index.ts';
import { RUN, type Sent, type Stub, stub } from './testing/stub-fetch.ts';

const USER = {
  id: 'user_1',
  email: 'a@b.c',
  username: 'ann',
  firstname: null,
  verified: true,
  subscribed: false,
  onboarded: true,
  role: 'owner',
  two_factor: false,
  created_at: 1,
};

const sessionOf = (csrf: string, userId = 'user_1') => ({
  id: 'session_1',
  user: { ...USER, id: userId },
  csrf_token: csrf,
  expires_at: 2,
});

const refusal = (status: number, code: string): Response =>
  Response.json({ detail: { message: 'no', code } }, { status });

/** A server that accepts writes with the CSRF token `current.csrf` alone. */
function server(current: { csrf: string; userId?: string }): Stub {
  return stub(
    ({ method, url, headers }) => {
      if (url.endsWith('/v2/auth/session')) return Response.json(sessionOf(current.csrf, current.userId));
      if (method === 'GET' || headers.get('x-csrf-token') === current.csrf) return Response.json(RUN);
      return refusal(403, 'csrf_token_wrong');
    },
    { session: true },
  );
}

const shown = ({ method, url, headers }: Sent): string =>
  `${method} ${url.slice('http://host:1/base'.length)} ${headers.get('x-csrf-token')}`;

test('reads the CSRF token before the first write, once, and sends it with writes alone', async () => {
  const { api, sent } = server({ csrf: 'one' });
  await Promise.all([api.cancelRun('a'), api.cancelRun('b')]);
  await api.getRun('c');
  assert.deepEqual(sent.map(shown), [
    'GET /v2/auth/session null',
    'POST /v2/runs/a/cancel one',
    'POST /v2/runs/b/cancel one',
    'GET /v2/runs/c null',
  ]);
  for (const { headers, init } of sent) {
    assert.equal(headers.get('authorization'), null);
    assert.equal(init.credentials, 'include');
  }
});

test('renews a CSRF token that the server refuses, and sends the write again, once', async () => {
  const current = { csrf: 'one' };
  const { api, sent } = server(current);
  await api.cancelRun('a');
  current.csrf = 'two';
  await api.cancelRun('b');
  assert.deepEqual(sent.map(shown).slice(2), [
    'POST /v2/runs/b/cancel one',
    'GET /v2/auth/session null',
    'POST /v2/runs/b/cancel two',
  ]);
  const stubborn = stub(
    ({ method }) => (method === 'GET' ? Response.json(sessionOf('one')) : refusal(403, 'csrf_token_wrong')),
    { session: true },
  );
  await assert.rejects(stubborn.api.cancelRun('a'), PermissionDeniedError);
  assert.equal(stubborn.sent.filter(({ method }) => method === 'POST').length, 1);
});

test('sends no write again after another account has signed in in the browser', async () => {
  const current = { csrf: 'one', userId: 'user_1' };
  const { api, sent } = server(current);
  await api.cancelRun('a');
  Object.assign(current, { csrf: 'two', userId: 'user_2' });
  await assert.rejects(
    api.cancelRun('b'),
    (error) => error instanceof SessionEndedError && error.code === 'session_replaced',
  );
  assert.equal(sent.filter(({ method }) => method === 'POST').length, 2);
});

test('takes the CSRF token of a sign-in, and forgets it with the sign-out', async () => {
  const { api, sent } = stub(
    ({ url }) =>
      url.endsWith('/logout')
        ? new Response(null, { status: 204 })
        : url.endsWith('/session')
          ? refusal(401, 'session_ended')
          : Response.json(url.endsWith('/login') ? sessionOf('one') : RUN),
    { session: true },
  );
  const { user } = await api.auth.login({ login: 'ann', password: 'x' });
  assert.deepEqual([user.username, user.lastname, user.createdAt?.getTime()], ['ann', null, 1000]);
  await api.cancelRun('a');
  await api.auth.logout();
  await assert.rejects(api.cancelRun('b'), SessionEndedError);
  assert.deepEqual(sent.map(shown), [
    'POST /v2/auth/login null',
    'POST /v2/runs/a/cancel one',
    'POST /v2/auth/logout one',
    'GET /v2/auth/session null',
  ]);
});

test('a missing cookie and an ended session are SessionEndedError, a wrong password is not', async () => {
  const answer = (code: string): Promise<unknown> =>
    stub(() => refusal(401, code), { session: true })
      .api.auth.session()
      .catch((cause: unknown) => cause);
  for (const code of ['session_ended', 'token_missing']) assert.ok((await answer(code)) instanceof SessionEndedError);
  const wrong = await answer('sign_in_failed');
  assert.ok(wrong instanceof AuthenticationError && !(wrong instanceof SessionEndedError));
});

test('follows a mailed link with the CSRF token where there is a session, and without one where there is none', async () => {
  for (const [session, expected] of [
    [() => Response.json(sessionOf('one')), 'POST /v2/auth/verify-email one'],
    [() => refusal(401, 'token_missing'), 'POST /v2/auth/verify-email null'],
  ] as const) {
    const { api, sent } = stub(({ method }) => (method === 'GET' ? session() : Response.json(USER)), { session: true });
    await api.auth.verifyEmail({ token: 't' });
    assert.equal(sent.map(shown).at(-1), expected);
  }
});

test('withProject acts in another project, with the same session', async () => {
  const { api, sent } = server({ csrf: 'one' });
  await api.cancelRun('a');
  const other = api.withProject('project_2');
  await other.cancelRun('b');
  await other.withProject(null).getRun('c');
  assert.deepEqual(
    sent.map(({ headers }) => headers.get('x-project-id')),
    [null, null, 'project_2', null],
  );
  assert.deepEqual([api.projectId, other.projectId], [null, 'project_2']);
  assert.throws(() => new PipelineCloud({ token: 't' }).withProject('project_2'), TypeError);
});

test('needs an address outside of browsers', () => {
  assert.throws(() => new PipelineCloud({ session: true }), TypeError);
});
