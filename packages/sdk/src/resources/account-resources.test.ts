import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replying, type Stub, stub } from '../testing/stub-fetch.ts';

const BASE = 'http://host:1/base';
const USER = {
  id: 'user_1',
  email: 'a@b.c',
  username: 'ann',
  job_title: 'poet',
  verified: true,
  subscribed: false,
  onboarded: true,
  preferences: { theme: 'dark' },
};
const page = (...data: readonly unknown[]) => ({ skip: 0, limit: 20, total: data.length, data });
const PAGE = 'limit=20&skip=0&order_by=created_at%3Adesc';

/** Method, path and body of the only request. */
function requestOf({ sent }: Stub): readonly unknown[] {
  assert.equal(sent.length, 1);
  return [sent[0]?.method, sent[0]?.url.slice(BASE.length), sent[0]?.body];
}

const empty = (): Stub => stub(() => new Response(null, { status: 204 }));

test('reads and changes users', async () => {
  const me = replying(USER);
  const user = await me.api.users.me();
  assert.deepEqual(
    [user.jobTitle, user.company, user.role, user.twoFactor, user.preferences.theme, user.preferences.motion],
    ['poet', null, 'member', false, 'dark', null],
  );
  const changed = replying(USER);
  await changed.api.users.changeProfile({ jobTitle: 'poet', company: null });
  assert.deepEqual(requestOf(changed), ['PATCH', '/v2/users/me', { company: null, job_title: 'poet' }]);
  const chosen = replying(USER);
  await chosen.api.users.changeProfile({ preferences: { singleKeyShortcuts: false, theme: null } });
  const preferences = { single_key_shortcuts: false, theme: null };
  assert.deepEqual(requestOf(chosen), ['PATCH', '/v2/users/me', { preferences }]);
  const list = replying(page({ ...USER, last_seen: 5, runs_30_days: 7 }));
  const [listed] = (await list.api.users.list({ text: 'an n', role: 'member', disabled: false })).items;
  assert.deepEqual([listed?.username, listed?.lastSeen?.getTime(), listed?.runs30Days], ['ann', 5000, 7]);
  assert.deepEqual(requestOf(list), ['GET', `/v2/users?${PAGE}&q=an+n&role=member&disabled=false`, null]);
  const administered = replying({ ...USER, disabled: true });
  assert.equal((await administered.api.users.change('a/b', { disabled: true })).disabled, true);
  assert.deepEqual(requestOf(administered), ['PATCH', '/v2/users/a%2Fb', { disabled: true }]);
  const gone = empty();
  await gone.api.users.delete('user_1', { confirmation: { password: 'pä', code: '1' } });
  assert.deepEqual(requestOf(gone), ['DELETE', '/v2/users/user_1', null]);
  const headers = gone.sent[0]?.headers;
  assert.deepEqual([headers?.get('x-confirm-password'), headers?.get('x-confirm-code')], ['p%C3%A4', '1']);
});

test('registers: the reply has an account, or says that a mail has been sent', async () => {
  const account = { email: 'a@b.c', username: 'ann', password: 'Correct horse 1' };
  const made = replying(USER, { status: 201 });
  assert.equal((await made.api.auth.register(account))?.username, 'ann');
  assert.deepEqual(requestOf(made), ['POST', '/v2/auth/register', account]);
  assert.equal(await replying({ message: 'a mail …' }, { status: 202 }).api.auth.register(account), null);
});

test('sends the changes of the security of an account', async () => {
  const proof = { password: 'p', code: '1' };
  const calls: readonly (readonly [unknown, (stub: Stub) => Promise<unknown>, string, unknown])[] = [
    [
      {
        ended: {
          sessions: 2,
          tokens: 1,
          identities: 0,
          webhooks: 0,
          members: 0,
          invitations: 0,
          memberships: 0,
          two_factor: true,
        },
      },
      ({ api }) => api.auth.resetPassword({ token: 't', password: 'p', keep: ['tokens'] }),
      'POST /v2/auth/reset-password',
      { token: 't', password: 'p', keep: ['tokens'] },
    ],
    [{ confirmed_until: 5 }, ({ api }) => api.auth.confirm(proof), 'POST /v2/auth/confirm', proof],
    [
      '',
      ({ api }) => api.auth.changePassword({ currentPassword: 'p', newPassword: 'q', code: '1' }),
      'POST /v2/auth/password',
      { current_password: 'p', new_password: 'q', code: '1' },
    ],
    ['', ({ api }) => api.auth.changeEmail('x@y.z', proof), 'POST /v2/auth/email', { email: 'x@y.z', ...proof }],
    [
      { secret: 's', uri: 'otpauth:' },
      ({ api }) => api.auth.beginTwoFactor('p'),
      'POST /v2/auth/two-factor',
      { password: 'p' },
    ],
    [
      { recovery_codes: ['a', 'b'] },
      ({ api }) => api.auth.confirmTwoFactor('1'),
      'POST /v2/auth/two-factor/confirm',
      { code: '1' },
    ],
    ['', ({ api }) => api.auth.endTwoFactor(proof), 'POST /v2/auth/two-factor/disable', proof],
    ['', ({ api }) => api.auth.endSession('s/1'), 'DELETE /v2/auth/sessions/s%2F1', null],
    [
      { authorization_url: 'https://provider' },
      ({ api }) => api.auth.linkIdentity('github', proof),
      'POST /v2/auth/identities',
      { provider: 'github', ...proof },
    ],
  ];
  const results: unknown[] = [];
  for (const [reply, call, request, body] of calls) {
    const server = replying(reply);
    results.push(await call(server));
    const [method, path, sent] = requestOf(server);
    assert.deepEqual([`${method} ${path}`, sent], [request, body]);
  }
  assert.deepEqual(results.slice(1, 2), [new Date(5000)]);
  assert.deepEqual(results[5], ['a', 'b']);
  assert.equal(results[8], 'https://provider');
  const providers = replying({ data: [{ name: 'github' }] });
  assert.deepEqual(await providers.api.auth.providers(), ['github']);
  assert.equal(providers.api.auth.providerAddress('a b'), `${BASE}/v2/auth/oauth/a%20b`);
});

test('manages projects, members and invitations', async () => {
  const project = {
    id: 'project_1',
    name: 'poems',
    created_at: 1,
    updated_at: 2,
    role: 'owner',
    n_pipeline_runs: 3,
    n_data: 4,
  };
  const made = replying(project, { status: 201 });
  assert.equal((await made.api.projects.create('poems')).nPipelineRuns, 3);
  assert.deepEqual(requestOf(made), ['POST', '/v2/projects', { name: 'poems' }]);
  const members = replying({ data: [{ user_id: 'u', username: 'ann', role: 'owner', added_at: 1 }] });
  assert.equal((await members.api.projects.members('project_1'))[0]?.userId, 'u');
  const invitation = {
    id: 'invitation_1',
    project: { id: 'project_1', name: 'poems' },
    email: null,
    username: 'bob',
    invited_by: 'ann',
    created_at: 1,
    expires_at: 2,
  };
  for (const [invited, path] of [
    [{ username: 'bob' }, '/v2/projects/project_1/members'],
    [{ email: 'b@c.d' }, '/v2/projects/project_1/invitations'],
  ] as const) {
    const sent = replying({ data: [invitation] }, { status: 202 });
    assert.equal((await sent.api.projects.invite('project_1', invited))[0]?.username, 'bob');
    assert.deepEqual(requestOf(sent), ['POST', path, invited]);
  }
  const left = empty();
  await left.api.projects.removeMember('project_1', 'user/2');
  assert.deepEqual(requestOf(left), ['DELETE', '/v2/projects/project_1/members/user%2F2', null]);
  const accepted = empty();
  await accepted.api.invitations.accept('invitation_1');
  assert.deepEqual(requestOf(accepted), ['POST', '/v2/invitations/invitation_1/accept', null]);
});

test('manages webhooks and their deliveries', async () => {
  const webhook = {
    id: 'webhook_1',
    url: 'https://x',
    events: ['run.failed'],
    is_enabled: true,
    failed_attempts: 0,
    created_at: 1,
    updated_at: 2,
  };
  const made = replying({ ...webhook, secret: 'whsec' }, { status: 201 });
  assert.equal((await made.api.webhooks.create({ url: 'https://x', events: ['run.failed'] })).secret, 'whsec');
  assert.deepEqual(requestOf(made), ['POST', '/v2/webhooks', { url: 'https://x', events: ['run.failed'] }]);
  const changed = replying(webhook);
  assert.equal((await changed.api.webhooks.change('webhook_1', { isEnabled: false })).secret, null);
  assert.deepEqual(requestOf(changed), ['PATCH', '/v2/webhooks/webhook_1', { is_enabled: false }]);
  const delivery = {
    id: 'd_1',
    webhook_id: 'webhook_1',
    run_id: 'run_1',
    event: 'run.failed',
    state: 'pending',
    attempts: 2,
    created_at: 1,
    due_at: 3,
  };
  const list = replying(page(delivery));
  assert.equal((await list.api.webhooks.deliveries('webhook_1')).items[0]?.dueAt.getTime(), 3000);
  const again = replying(delivery, { status: 201 });
  await again.api.webhooks.replay('webhook_1', 'd_1');
  assert.deepEqual(requestOf(again), ['POST', '/v2/webhooks/webhook_1/deliveries/d_1/replay', null]);
});

test('reads metrics, the audit log and reloads plans', async () => {
  const bucket = { start: 1, end: 2, run_count: 3, success_rate: null, average_runtime: 4, total_runtime: 12 };
  const runs = replying({
    start: 1,
    end: 2,
    bucket_count: 1,
    metrics_buckets: [bucket],
    overall_bucket: bucket,
    preceding_bucket: bucket,
  });
  const { metricsBuckets } = await runs.api.metrics.runs({ start: new Date(0), buckets: 1 });
  assert.deepEqual([metricsBuckets[0]?.runCount, metricsBuckets[0]?.successRate], [3, null]);
  assert.equal(requestOf(runs)[1], '/v2/metrics/runs?start=1970-01-01T00%3A00%3A00.000Z&bucket_count=1');
  const byPipeline = replying([{ ...bucket, pipeline_id: 'p', pipeline_name: 'gpt-j-6b' }]);
  assert.equal((await byPipeline.api.metrics.pipelines())[0]?.pipelineName, 'gpt-j-6b');
  const entry = { id: 7, at: 1, user_id: 'u', action: 'token.create', details: { name: 'ci' } };
  const log = replying(page(entry));
  assert.deepEqual((await log.api.admin.auditLog({ action: 'token.create' })).items[0]?.details, { name: 'ci' });
  assert.equal(requestOf(log)[1], `/v2/audit-log?${PAGE}&action=token.create`);
  const reloaded = replying({ currency: 'EUR', plans: [], current: 'free', requests: [] });
  assert.equal((await reloaded.api.plans.reload()).current, 'free');
});

test('reads usage by time, percentiles of times and counts of errors', async () => {
  const sums = { runs: 1, prompt_tokens: 2, generated_tokens: 3, computed_tokens: 5, cached_tokens: 0, compute_ms: 9 };
  const row = { bucket: '2026-01-31T05:00Z', key: 'other', name: null, ...sums };
  const reply = { from: '2026-01-31', to: '2026-01-31', group_by: null, bucket: 'hour', project_id: null };
  const usage = replying({ ...reply, rows: [row], total: sums });
  const read = await usage.api.usage.get({ from: '2026-01-31', bucket: 'hour', top: 5 });
  assert.deepEqual([read.groupBy, read.bucket, read.rows[0]?.bucket], [null, 'hour', '2026-01-31T05:00Z']);
  assert.equal(requestOf(usage)[1], '/v2/usage?from=2026-01-31&bucket=hour&top=5');
  const none = { runs: 0, p50_ms: null, p95_ms: null, p99_ms: null };
  const times = { queued: none, first_token: none, total: { runs: 2, p50_ms: 1, p95_ms: 2, p99_ms: 3 } };
  const latency = replying({ start: 0, end: 1, bucket: 'day', buckets: [{ start: 0, ...times }], overall: times });
  const { buckets, overall } = await latency.api.metrics.latency({ bucket: 'day' });
  assert.deepEqual([buckets[0]?.total.p95Ms, overall.firstToken.p50Ms], [2, null]);
  assert.equal(requestOf(latency)[1], '/v2/metrics/latency?bucket=day');
  const counted = { start: 0, end: 1, bucket: 'hour', buckets: [{ start: 0, code: 'a', count: 2 }] };
  const errors = replying({ ...counted, total: [{ code: 'a', count: 2 }] });
  assert.deepEqual((await errors.api.metrics.errors()).total, [{ code: 'a', count: 2 }]);
});

test('uploads files as hexadecimal digits and data as bytes, in a form', async () => {
  const file = { id: 'file_1', name: 'a.bin', file_size: 4, path: 'x', data: '80ff' };
  const stored = replying(file, { status: 201 });
  assert.equal((await stored.api.files.upload('a.bin', Uint8Array.of(0x80, 0xff))).fileSize, 4);
  const form = stored.sent[0]?.init.body;
  assert.ok(form instanceof FormData);
  const part = form.get('file');
  assert.ok(part instanceof File);
  assert.deepEqual([part.name, await part.text()], ['a.bin', '80ff']);
  assert.equal(stored.sent[0]?.headers.get('content-type'), null);
  const data = replying({ id: 'file_1', created_at: 1, hex_file: file });
  assert.deepEqual(await data.api.data.bytes('file_1'), Uint8Array.of(0x80, 0xff));
  assert.deepEqual(requestOf(data), ['GET', '/v2/data/file_1?return_data=true', null]);
});
