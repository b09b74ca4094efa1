import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type AuditEntryGet,
  auditEntrySchema,
  type InvitationGet,
  invitationGetSchema,
  memberGetSchema,
  type ProjectGetDetailed,
  paginatedSchema,
  projectGetDetailedSchema,
  tokenGetSchema,
} from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
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
import { DEFAULT_PROJECT_ID, FIRST_USER_ID } from '../users/first-user.ts';

let it: TestApp;
let percy: Browser;
let mary: Browser;
let now: Date = NOW;
before(async () => {
  now = NOW;
  it = await openTestApp({ clock: () => now });
  percy = await registerAndSignIn(it, 'percy');
  mary = await registerAndSignIn(it, 'mary');
});
after(() => it.close());

const projectPage = paginatedSchema(projectGetDetailedSchema);
const project = async (reply: Response): Promise<ProjectGetDetailed> =>
  projectGetDetailedSchema.parse(await reply.json());
const make = async (name: string, by = percy): Promise<ProjectGetDetailed> =>
  await project(await by.ask('/v2/projects', 'POST', { name }));
const names = async (by: Browser): Promise<string[]> =>
  projectPage.parse(await (await by.ask('/v2/projects?order_by=created_at:asc')).json()).data.map(({ name }) => name);
const list = async (reply: Response): Promise<unknown[]> => {
  const body: unknown = await reply.json();
  assert.ok(typeof body === 'object' && body !== null && 'data' in body && Array.isArray(body.data));
  return body.data;
};
/** Invite a user by name, and accept as that user. */
const join = async (projectId: string, user: Browser): Promise<void> => {
  const { username } = user.user;
  assert.equal((await percy.ask(`/v2/projects/${projectId}/members`, 'POST', { username })).status, 202);
  const invitations = (await list(await user.ask('/v2/invitations'))).map((each) => invitationGetSchema.parse(each));
  const invitation = invitations.find(({ project }) => project.id === projectId);
  assert.equal((await user.ask(`/v2/invitations/${invitation?.id}/accept`, 'POST')).status, 204);
};
const audit = async (query = ''): Promise<AuditEntryGet[]> =>
  paginatedSchema(auditEntrySchema).parse(await (await it.request(`/v2/audit-log?limit=100${query}`)).json()).data;

test('a new user has one project and can create more', async () => {
  assert.deepEqual(await names(percy), ['default']);
  now = new Date(now.getTime() + 1000);
  const made = await make('ozymandias');
  assert.deepEqual([made.role, made.n_pipeline_runs, made.n_data], ['owner', 0, 0]);
  assert.deepEqual(await names(percy), ['default', 'ozymandias']);
  const renamed = await project(await percy.ask(`/v2/projects/${made.id}`, 'PATCH', { name: 'statue' }));
  assert.equal(renamed.name, 'statue');
});

test('replies not_found to every request for a project of other users', async () => {
  const secret = await make('secret');
  const at = `/v2/projects/${secret.id}`;
  const tries: readonly (readonly [method: string, path: string, body?: unknown])[] = [
    ['GET', at],
    ['PATCH', at, { name: 'mine' }],
    ['DELETE', at],
    ['GET', `${at}/members`],
    ['POST', `${at}/members`, { username: 'mary' }],
    ['DELETE', `${at}/members/${percy.user.id}`],
    ['GET', `${at}/invitations`],
    ['POST', `${at}/invitations`, { email: 'mary@example.com' }],
    ['DELETE', `${at}/invitations/invitation_x`],
  ];
  for (const [method, path, body] of tries) {
    assert.equal(await refusal(await mary.ask(path, method, body)), '404 not_found', `${method} ${path}`);
  }
  const headers = { 'x-project-id': secret.id };
  assert.equal(await refusal(await mary.ask('/v2/tokens', 'GET', undefined, headers)), '404 not_found');
  assert.equal((await percy.ask('/v2/tokens', 'GET', undefined, headers)).status, 200);
  assert.ok(!(await names(mary)).includes('secret'));
});

test('a token sees only the project that it belongs to', async () => {
  const statue = await make('for a token');
  const headers = { 'x-project-id': statue.id };
  const token = tokenGetSchema.parse(await (await percy.ask('/v2/tokens', 'POST', { type: 'admin' }, headers)).json());
  assert.equal(token.project_id, statue.id);
  assert.equal((await percy.ask(`/v2/tokens/${token.id}`, 'GET', undefined, headers)).status, 200);
  assert.equal(await refusal(await percy.ask(`/v2/tokens/${token.id}`)), '404 not_found');
  const ask = (path: string) =>
    it.app.request(path, { headers: { authorization: `Bearer ${token.value}`, 'x-project-id': DEFAULT_PROJECT_ID } });
  const page = projectPage.parse(await (await ask('/v2/projects')).json());
  assert.deepEqual([page.total, page.data.map(({ id }) => id)], [1, [statue.id]]);
  const first = projectPage.parse(await (await percy.ask('/v2/projects?limit=1&order_by=created_at:asc')).json());
  assert.equal(await refusal(await ask(`/v2/projects/${first.data[0]?.id}`)), '404 not_found');
});

test('a member sees the project and its contents, cannot change it, and can leave', async () => {
  const shared = await make('shared');
  const at = `/v2/projects/${shared.id}`;
  const add = (username: string) => percy.ask(`${at}/members`, 'POST', { username });
  await join(shared.id, mary);
  const members = (await list(await percy.ask(`${at}/members`))).map((member) => memberGetSchema.parse(member));
  assert.deepEqual(
    members.map(({ username, role }) => [username, role]),
    [
      ['percy', 'owner'],
      ['mary', 'member'],
    ],
  );
  const textOf = async (reply: Response): Promise<string> => JSON.stringify(await reply.json());
  const again = await textOf(await add('mary'));
  assert.match(again, /"message":"mary is already a member","code":"conflict"/);
  assert.equal((await project(await mary.ask(at))).role, 'member');
  for (const [method, path, body] of [
    ['PATCH', at, { name: 'mine' }],
    ['DELETE', at, undefined],
    ['POST', `${at}/members`, { username: 'owner' }],
    ['DELETE', `${at}/members/${percy.user.id}`, undefined],
    ['POST', `${at}/invitations`, { email: 'a@example.com' }],
  ] as const) {
    assert.equal(await refusal(await mary.ask(path, method, body)), '403 project_owner_required', `${method} ${path}`);
  }
  const headers = { 'x-project-id': shared.id };
  const token = tokenGetSchema.parse(await (await mary.ask('/v2/tokens', 'POST', {}, headers)).json());
  const withToken = () => it.app.request('/v2/users/me', { headers: { authorization: `Bearer ${token.value}` } });
  assert.equal((await withToken()).status, 200);
  assert.equal((await mary.ask(`${at}/members/${mary.user.id}`, 'DELETE')).status, 204);
  assert.equal(await refusal(await withToken()), '401 token_unknown');
  assert.equal(await refusal(await mary.ask(at)), '404 not_found');
  const owner = await textOf(await percy.ask(`${at}/members/${percy.user.id}`, 'DELETE'));
  assert.match(owner, /"code":"not_found","remedy":"give the user_id of a member/);
});

test('an invited user is no member before accepting, and can decline', async () => {
  const shared = await make('by name');
  const at = `/v2/projects/${shared.id}`;
  const reply = await percy.ask(`${at}/members`, 'POST', { username: 'mary' });
  assert.equal(reply.status, 202);
  const [invitation] = (await list(reply)).map((each) => invitationGetSchema.parse(each));
  assert.deepEqual([invitation?.email, invitation?.username], [null, 'mary']);
  assert.equal(await refusal(await mary.ask(at)), '404 not_found');
  assert.match(it.mails.findLast(({ to }) => to === 'mary@example.com')?.text ?? '', /project "by name"[\s\S]*as mary/);
  const claim = (by: Browser) => by.ask(`/v2/invitations/${invitation?.id}/accept`, 'POST');
  assert.equal(await refusal(await claim(await registerAndSignIn(it, 'mallory'))), '403 email_unverified');
  assert.equal((await mary.ask(`/v2/invitations/${invitation?.id}/decline`, 'POST')).status, 204);
  assert.equal(await refusal(await mary.ask(at)), '404 not_found');
  assert.equal((await list(await percy.ask(`${at}/invitations`))).length, 0);
  await join(shared.id, mary);
  assert.match(it.mails.findLast(({ to }) => to === 'percy@example.com')?.text ?? '', /mary accepted an invitation/);
  assert.equal((await mary.ask(`${at}/members/${mary.user.id}`, 'DELETE')).status, 204);
});

test('replies the same to the invitation of a username that no account has, which a later account cannot accept', async () => {
  const shared = await make('unknown names');
  const shape = async (username: string): Promise<string> => {
    const reply = await percy.ask(`/v2/projects/${shared.id}/members`, 'POST', { username });
    const [first] = (await list(reply)).map((each) => invitationGetSchema.parse(each));
    return JSON.stringify([reply.status, { ...first, id: '', username: '' }]);
  };
  assert.equal(await shape('keats-7'), await shape('mary'));
  const keats = await registerAndSignIn(it, 'keats-7');
  assert.equal(await refusal(await keats.ask('/v2/invitations')), '403 email_unverified');
  assert.equal((await percy.ask(`/v2/projects/${shared.id}`, 'DELETE')).status, 204);
});

test('only a user with the verified address can accept an invitation', async () => {
  const shared = await make('by invitation');
  const invite = async (): Promise<InvitationGet[]> => {
    const reply = await percy.ask(`/v2/projects/${shared.id}/invitations`, 'POST', { email: 'Byron@Example.com' });
    return (await list(reply)).map((invitation) => invitationGetSchema.parse(invitation));
  };
  const [first] = await invite();
  const [invitation, ...none] = await invite();
  assert.notEqual(first?.id, invitation?.id);
  assert.equal(none.length, 0);
  assert.equal(it.mails.at(-1)?.to, 'byron@example.com');
  const answer = (by: Browser, what: string) => by.ask(`/v2/invitations/${invitation?.id}/${what}`, 'POST');
  const byron = await registerAndSignIn(it, 'byron');
  assert.equal(await refusal(await answer(byron, 'accept')), '403 email_unverified');
  assert.equal(await refusal(await byron.ask('/v2/invitations')), '403 email_unverified');
  for (const email of ['byron@example.com', 'mary@example.com']) {
    await postSignedOut(it, '/v2/auth/verify-email', { token: mailedSecret(it, email), password: PASSWORD });
  }
  assert.equal(await refusal(await answer(mary, 'accept')), '404 not_found');
  assert.equal((await list(await mary.ask('/v2/invitations'))).length, 0);
  assert.equal((await list(await byron.ask('/v2/invitations'))).length, 1);
  const start = now;
  now = new Date(now.getTime() + 15 * 86_400_000);
  const late = await signInAs(it, 'byron');
  assert.deepEqual(await list(await late.ask('/v2/invitations')), []);
  assert.equal(await refusal(await answer(late, 'accept')), '404 not_found');
  now = start;
  assert.equal((await answer(byron, 'accept')).status, 204);
  assert.equal(await refusal(await answer(byron, 'accept')), '404 not_found');
  assert.ok((await names(byron)).includes('by invitation'));
  const [withdrawn] = await invite();
  const path = `/v2/projects/${shared.id}/invitations/${withdrawn?.id}`;
  assert.equal((await percy.ask(path, 'DELETE')).status, 204);
  assert.equal(await refusal(await byron.ask(`/v2/invitations/${withdrawn?.id}/decline`, 'POST')), '404 not_found');
});

test('deletes an empty project, but not one with data and not the only one', async () => {
  const empty = await make('empty');
  assert.equal((await percy.ask(`/v2/projects/${empty.id}`, 'DELETE')).status, 204);
  assert.equal(await refusal(await percy.ask(`/v2/projects/${empty.id}`)), '404 not_found');
  assert.equal(
    await refusal(await it.request(`/v2/projects/${DEFAULT_PROJECT_ID}`, { method: 'DELETE' })),
    '409 conflict',
  );
  const only = projectPage.parse(await (await mary.ask('/v2/projects')).json()).data;
  assert.equal(await refusal(await mary.ask(`/v2/projects/${only[0]?.id}`, 'DELETE')), '409 conflict');
  const full = await make('full');
  await it.store.db.execute(sql`INSERT INTO files
    (id, name, path, bytes, size_bytes, is_stored, created_at, project_id)
    VALUES ('file_x', 'x', 'x', '', 0, true, now(), ${full.id})`);
  await it.store.db.execute(sql`INSERT INTO data (id, file_id, created_at, project_id)
    VALUES ('data_x', 'file_x', now(), ${full.id})`);
  assert.equal((await project(await percy.ask(`/v2/projects/${full.id}`))).n_data, 1);
  assert.equal(await refusal(await percy.ask(`/v2/projects/${full.id}`, 'DELETE')), '409 conflict');
});

test('keeps one of the last two projects when both are deleted at the same time', async () => {
  const claire = await registerAndSignIn(it, 'claire');
  await make('second', claire);
  const { data } = projectPage.parse(await (await claire.ask('/v2/projects')).json());
  const replies = await Promise.all(data.map(({ id }) => claire.ask(`/v2/projects/${id}`, 'DELETE')));
  assert.deepEqual(replies.map(({ status }) => status).sort(), [204, 409]);
});

test('refuses unknown fields and names with line breaks', async () => {
  for (const body of [{}, { name: '' }, { name: 'a\r\nb' }, { name: 'a', owner_id: 'x' }, { name: 'a', id: 'x' }]) {
    assert.equal(await refusal(await percy.ask('/v2/projects', 'POST', body)), '400 invalid_request');
  }
});

test('the audit log lists who did what, when and from where, newest first', async () => {
  const token = tokenGetSchema.parse(
    await (await percy.ask('/v2/tokens', 'POST', { name: 'audited' }, { 'x-request-id': 'from-the-test' })).json(),
  );
  const [entry] = await audit('&action=token.create');
  assert.deepEqual(
    [entry?.user_id, entry?.token_id, entry?.subject, entry?.request_id, entry?.at],
    [percy.user.id, null, token.id, 'from-the-test', now.getTime() / 1000],
  );
  assert.equal(entry?.details.name, 'audited');
  const renamed = { method: 'PATCH', body: '{"name":"by a token"}', headers: { 'content-type': 'application/json' } };
  await it.request(`/v2/projects/${DEFAULT_PROJECT_ID}`, renamed);
  const [byToken] = await audit(`&action=project.update&user_id=${FIRST_USER_ID}`);
  assert.match(byToken?.token_id ?? '', /^token_[0-9a-f]{32}$/);
  await postSignedOut(it, '/v2/auth/login', { login: 'percy', password: 'Wrong12345' });
  const [failed] = await audit('&action=user.sign_in_failed');
  assert.deepEqual(
    [failed?.user_id, failed?.subject, failed?.details],
    [null, percy.user.id, { reason: 'wrong password' }],
  );
  const { id } = await make('audited');
  await join(id, mary);
  await percy.ask(`/v2/projects/${id}/members/${mary.user.id}`, 'DELETE');
  await percy.ask(`/v2/projects/${id}/invitations`, 'POST', { email: 'audited@example.com' });
  const seen = new Set((await audit()).map(({ action }) => action));
  for (const action of ['user.register', 'user.sign_in', 'project.create', 'project.invite', 'project.member_remove']) {
    assert.ok(seen.has(action), action);
  }
});

test('the audit log is append-only, and a failed change leaves no entry', async () => {
  for (const statement of ['UPDATE audit_log SET action = $$x$$', 'DELETE FROM audit_log', 'TRUNCATE audit_log']) {
    await assert.rejects(it.store.db.execute(sql.raw(statement)), (error) =>
      /append-only/.test(String(error instanceof Error ? error.cause : error)),
    );
  }
  const before = (await audit('&action=project.delete')).length;
  await it.request(`/v2/projects/${DEFAULT_PROJECT_ID}`, { method: 'DELETE' });
  assert.equal((await audit('&action=project.delete')).length, before);
});

test('neither the log nor the audit log contains passwords, tokens or links', async () => {
  const written = `${it.logLines.join('')}${JSON.stringify(await it.store.db.execute(sql`SELECT * FROM audit_log`))}`;
  assert.doesNotMatch(written, /gptj_[\w-]{32}|Ozymandias1818|Wrong12345/);
  assert.ok(!written.includes(mailedSecret(it, 'percy@example.com')));
});

test('a request cannot inject a line into the log', async () => {
  const evil = encodeURIComponent('\n{"level":"error","message":"forged"}');
  await it.request(`/v2/projects/${evil}`);
  await it.request(`/v2/tokens/${evil}?x=${evil}`, { headers: { 'x-request-id': 'a b', 'user-agent': 'x' } });
  for (const line of it.logLines) {
    assert.equal(line.indexOf('\n'), line.length - 1);
    const entry: unknown = JSON.parse(line);
    assert.ok(typeof entry === 'object' && entry !== null);
    assert.notEqual(Reflect.get(entry, 'message'), 'forged');
  }
});
