import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { type TokenGet, tokenGetSchema } from '@gptj-cloud/protocol';
import { eq, sql } from 'drizzle-orm';
import { type Browser, refusal, registerAndSignIn } from '../../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';
import { apiKeys } from '../identity-tables.ts';
import { hashSecret } from '../secret.ts';

let it: TestApp;
let percy: Browser;
let mallory: Browser;
let now: Date = NOW;
before(async () => {
  now = NOW;
  it = await openTestApp({ clock: () => now });
  percy = await registerAndSignIn(it, 'percy');
  mallory = await registerAndSignIn(it, 'mallory');
});
after(() => it.close());

async function make(body: Record<string, unknown> = {}, by: Browser = percy): Promise<TokenGet> {
  const reply = await by.ask('/v2/tokens', 'POST', body);
  assert.equal(reply.status, 201, await reply.clone().text());
  return tokenGetSchema.parse(await reply.json());
}
const ask = (token: TokenGet, path = '/v2/users/me', method = 'GET', body?: unknown): Promise<Response> =>
  Promise.resolve(
    it.app.request(path, {
      method,
      headers: { authorization: `Bearer ${token.value}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
const show = async (id: string): Promise<TokenGet> =>
  tokenGetSchema.parse(await (await percy.ask(`/v2/tokens/${id}`)).json());
const patch = (id: string, body: unknown, by = percy) => by.ask(`/v2/tokens/${id}`, 'PATCH', body);

test('replies the value of a token once and stores its hash', async () => {
  const token = await make({ name: 'notebook' });
  assert.match(token.value, /^gptj_[\w-]{32}$/);
  assert.deepEqual([token.name, token.user_id, token.is_active], ['notebook', percy.user.id, true]);
  const shown = await show(token.id);
  assert.equal(shown.value, `${token.value.slice(0, 9)}••••••••`);
  for (const path of ['/v2/tokens', `/v2/tokens/${token.id}`, '/v2/users/me']) {
    assert.ok(!(await (await percy.ask(path)).text()).includes(token.value), path);
  }
  assert.ok(!JSON.stringify(await it.store.db.execute(sql`SELECT * FROM api_keys`)).includes(token.value));
  assert.ok(!JSON.stringify(await it.store.db.execute(sql`SELECT * FROM audit_log`)).includes(token.value));
  assert.equal((await ask(token)).status, 200);
});

test('a token ends with a checksum of the rest, by which scanners recognise it', async () => {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  for (let i = 0; i < 3; i++) {
    const { value } = await make();
    const checksum = [...value.slice(-6)].reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0);
    assert.equal(checksum, crc32(value.slice(0, -6)));
  }
});

test('accepts a token from before tokens had checksums', async () => {
  const old = await make();
  const value = `gptj_${'0'.repeat(32)}`;
  await it.store.db
    .update(apiKeys)
    .set({ hash: hashSecret(value) })
    .where(eq(apiKeys.id, old.id));
  assert.equal((await ask({ ...old, value })).status, 200);
});

test('refuses a disabled token from the next request on, until it is enabled', async () => {
  const token = await make();
  assert.equal((await ask(token)).status, 200);
  const changed = tokenGetSchema.parse(await (await patch(token.id, { is_enabled: false, name: 'off' })).json());
  assert.deepEqual([changed.is_enabled, changed.is_active, changed.name], [false, false, 'off']);
  assert.equal(await refusal(await ask(token)), '401 token_disabled');
  await patch(token.id, { is_enabled: true });
  assert.equal((await ask(token)).status, 200);
});

test('a token expires at its millisecond', async () => {
  const start = now;
  const end = new Date(start.getTime() + 60_000);
  for (const expires_at of [end.getTime() / 1000, end.toISOString(), '2026-01-02T05:05:05.678+01:00']) {
    const token = await make({ expires_at });
    const expected = typeof expires_at === 'string' ? Date.parse(expires_at) : end.getTime();
    assert.equal(token.expires_at, expected / 1000);
    now = new Date(expected - 1);
    assert.equal((await ask(token)).status, 200);
    now = new Date(expected);
    assert.equal(await refusal(await ask(token)), '401 token_expired');
    assert.equal((await show(token.id)).is_active, false);
    now = start;
  }
  const token = await make();
  await patch(token.id, { expire_at: now.getTime() / 1000 });
  assert.equal(await refusal(await ask(token)), '401 token_expired');
  await patch(token.id, { expires_at: null });
  assert.equal((await ask(token)).status, 200);
});

test('refuses a deleted token from the next request on', async () => {
  const token = await make();
  assert.equal((await ask(token)).status, 200);
  assert.equal((await percy.ask(`/v2/tokens/${token.id}`, 'DELETE')).status, 204);
  assert.equal(await refusal(await ask(token)), '401 token_unknown');
  assert.equal(await refusal(await percy.ask(`/v2/tokens/${token.id}`)), '404 not_found');
});

test('replies not_found for tokens of other users and other projects', async () => {
  const token = await make();
  for (const [method, body] of [
    ['GET', undefined],
    ['PATCH', { is_enabled: false }],
    ['DELETE', undefined],
  ] as const) {
    assert.equal(await refusal(await mallory.ask(`/v2/tokens/${token.id}`, method, body)), '404 not_found');
    const headers = { authorization: 'Bearer test-token-0123456789', 'content-type': 'application/json' };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    assert.equal(await refusal(await it.app.request(`/v2/tokens/${token.id}`, init)), '404 not_found');
  }
  assert.ok(!(await (await mallory.ask('/v2/tokens')).text()).includes(token.id));
  assert.equal((await ask(token)).status, 200);
});

test('updates last_used at most once a minute', async () => {
  const start = now;
  const token = await make();
  assert.equal((await show(token.id)).last_used, null);
  const used: number[] = [];
  for (const seconds of [0, 59, 60, 100, 120]) {
    now = new Date(start.getTime() + seconds * 1000);
    await ask(token);
    used.push(Math.round(((await show(token.id)).last_used ?? 0) - start.getTime() / 1000));
  }
  assert.deepEqual(used, [0, 0, 60, 60, 120]);
  now = start;
});

test('a token allows what its scopes name and nothing else', async () => {
  const types = {
    reader: ['read'],
    runner: ['run'],
    editor: ['run', 'read', 'write'],
    admin: ['run', 'read', 'write', 'admin'],
  };
  const tokens = new Map<string, TokenGet>();
  for (const [type, scopes] of Object.entries(types)) {
    const token = await make({ type });
    assert.deepEqual(token.scopes, scopes);
    tokens.set(type, token);
  }
  const tries: readonly (readonly [method: string, path: string, may: readonly string[]])[] = [
    ['GET', '/v2/users/me', ['reader', 'runner', 'editor', 'admin']],
    ['GET', '/v2/runs', ['reader', 'runner', 'editor', 'admin']],
    ['POST', '/v2/runs', ['runner', 'editor', 'admin']],
    ['POST', '/v1/completions', ['runner', 'editor', 'admin']],
    ['POST', '/', ['runner', 'editor', 'admin']],
    ['DELETE', '/v2/runs/run_x', ['editor', 'admin']],
    ['GET', '/v2/projects', ['reader', 'editor', 'admin']],
    ['PATCH', '/v2/projects/x', ['admin']],
    ['GET', '/v2/tokens', ['admin']],
    ['POST', '/v2/tokens', ['admin']],
    ['GET', '/v2/users', ['admin']],
    ['GET', '/v2/audit-log', ['admin']],
    ['GET', '/v2/nothing-yet', ['reader', 'editor', 'admin']],
    ['POST', '/v2/nothing-yet', ['editor', 'admin']],
  ];
  for (const [method, path, may] of tries) {
    for (const [type, token] of tokens) {
      const reply = await ask(token, path, method, method === 'GET' ? undefined : { no: 'such field' });
      const refused = (await reply.text()).includes('the token lacks a scope');
      assert.equal(refused, !may.includes(type), `${type}: ${method} ${path}`);
    }
  }
});

test('a token without admin lists no other token', async () => {
  const reader = await make({ type: 'reader' });
  const me = await (await ask(reader)).text();
  assert.deepEqual([...me.matchAll(/token_[0-9a-f]{32}/g)].map(String), [reader.id]);
});

test('refuses unknown fields, type together with scopes, past expiry and unprintable names', async () => {
  const wrong: readonly unknown[] = [
    { user_id: mallory.user.id },
    { project_id: 'project_x' },
    { value: 'gptj_mine' },
    { is_enabled: true },
    { type: 'root' },
    { scopes: [] },
    { scopes: ['run', 'everything'] },
    { type: 'reader', scopes: ['read'] },
    { expires_at: now.getTime() / 1000 },
    { expires_at: 'tomorrow' },
    { expires_at: 1e300 },
    { name: '' },
    { name: 'x'.repeat(101) },
    { name: 'line\nbreak' },
    { name: 'a\r\n{"level":"error"}' },
    { name: 'right\u202eto left' },
    { name: '\u0000' },
  ];
  for (const body of wrong) {
    assert.equal(
      await refusal(await percy.ask('/v2/tokens', 'POST', body)),
      '400 invalid_request',
      JSON.stringify(body),
    );
  }
  const token = await make();
  for (const body of [{ scopes: ['admin'] }, { user_id: 'x' }, { last_used: 1 }, { name: 'a\rb' }, { name: null }]) {
    assert.equal(await refusal(await patch(token.id, body)), '400 invalid_request', JSON.stringify(body));
  }
});

test('lists tokens in pages, newest first, and refuses the 101st', async () => {
  const shelley = await registerAndSignIn(it, 'shelley');
  const made: string[] = [];
  for (let i = 0; i < 100; i++) {
    now = new Date(now.getTime() + 1);
    made.push((await make({}, shelley)).id);
  }
  assert.equal(await refusal(await shelley.ask('/v2/tokens', 'POST', {})), '409 limit_reached');
  const page: unknown = await (await shelley.ask('/v2/tokens?skip=1&limit=2')).json();
  assert.ok(typeof page === 'object' && page !== null && 'data' in page && Array.isArray(page.data));
  assert.equal(Reflect.get(page, 'total'), 100);
  assert.deepEqual(
    page.data.map((token: unknown) => tokenGetSchema.parse(token).id),
    [made[98], made[97]],
  );
});

test('refuses the token of a user who has left the project', async () => {
  const token = await make();
  await it.store.db.execute(sql`DELETE FROM project_members WHERE user_id = ${percy.user.id}`);
  assert.equal(await refusal(await ask(token)), '401 token_unknown');
  const rows = await it.store.db.select().from(apiKeys).where(eq(apiKeys.id, token.id));
  await it.store.db.execute(sql`INSERT INTO project_members VALUES
    (${rows[0]?.projectId}, ${percy.user.id}, 'owner', now())`);
  assert.equal((await ask(token)).status, 200);
});
