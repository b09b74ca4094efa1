/** Checks before a write, by parallel requests. PGlite runs transactions one after another; only PostgreSQL has the races. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import type { Caller } from '../audit/audit-log.ts';
import { describeOnEveryStore } from '../testing/test-store.ts';
import { fromBase32 } from '../testing/two-factor.ts';
import type { DeferDeps, MailDeps } from './account-deps.ts';
import { createToken } from './api-keys/api-key-service.ts';
import type { Principal } from './principal.ts';
import { answerInvitation, createProject, inviteToProject } from './projects/project-service.ts';
import { insertSession } from './sessions/session-store.ts';
import { totp, totpStep } from './two-factor/totp.ts';
import { beginTwoFactor, confirmTwoFactor } from './two-factor/two-factor.ts';
import { ensureOwner } from './users/set-up-owner.ts';
import type { User } from './users/user.ts';
import { findUser, insertUser } from './users/user-store.ts';

const NOW = new Date('2026-01-02T03:04:05.678Z');
const clock = (): Date => NOW;
const CALLER: Caller = { userId: null, apiKeyId: null, address: '192.0.2.1', requestId: 'test' };
const PARALLEL = 8;

describeOnEveryStore('identity under parallel requests', (store) => {
  let deps: MailDeps & DeferDeps;
  before(async () => {
    const mailer = { send: () => undefined, close: async () => undefined };
    deps = {
      db: store().db,
      clock,
      mailer,
      publicUrl: () => '',
      afterReply: { add: (work) => work(), close: async () => undefined },
    };
    // Open the pool's connections first: opened one after another they would keep the calls of a test apart.
    await Promise.all(Array.from({ length: PARALLEL }, () => deps.db.transaction((tx) => tx.execute(sql`SELECT 1`))));
  });

  let made = 0;
  const newUser = (): Promise<User> => {
    const username = `user-${++made}`;
    const row = { email: `${username}@example.com`, username, passwordHash: null, planId: 'free', verifiedAt: NOW };
    return deps.db.transaction((tx) => insertUser(tx, row, NOW));
  };
  const principalOf = async (user: User): Promise<Principal> => {
    const project = await createProject(deps, user.id, 'shared', CALLER);
    return {
      userId: user.id,
      projectId: project.id,
      apiKeyId: null,
      role: 'member',
      planId: 'free',
      scopes: ['run', 'read', 'write', 'admin'],
    };
  };
  /** Add members straight to the store, until the project has `count`. */
  const fillMembers = async ({ projectId }: Principal, count: number): Promise<void> => {
    await deps.db.execute(sql`
      INSERT INTO users (id, email, username, role, plan_id, created_at, updated_at)
      SELECT ${projectId} || n, ${projectId} || n, ${projectId} || n, 'member', 'free', now(), now()
      FROM generate_series(2, ${count}::int) n`);
    await deps.db.execute(sql`
      INSERT INTO project_members (project_id, user_id, role, added_at)
      SELECT ${projectId}, ${projectId} || n, 'member', now() FROM generate_series(2, ${count}::int) n`);
  };
  const countOf = async (query: ReturnType<typeof sql>): Promise<number> => {
    const rows = await deps.db.select({ total: sql<unknown>`count(*)`.mapWith(Number) }).from(query);
    return Number(rows[0]?.total);
  };

  test('createToken never passes the limit of tokens in a project', async () => {
    const principal = await principalOf(await newUser());
    await deps.db.execute(sql`
      INSERT INTO api_keys (id, name, hash, source, created_at, updated_at, user_id, project_id, scopes, hint)
      SELECT ${principal.projectId} || n, 'token', ${principal.projectId} || n, 'generated', now(), now(),
        ${principal.userId}, ${principal.projectId}, 'run', '' FROM generate_series(1, 99) n`);
    const results = await allCodes(() => createToken(deps, principal, {}, CALLER));
    assert.deepEqual(results, ['done', ...repeated('limit_reached')]);
    assert.equal(await countOf(sql`api_keys WHERE project_id = ${principal.projectId}`), 100);
  });

  test('answerInvitation never passes the limit of members', async () => {
    const principal = await principalOf(await newUser());
    const { projectId } = principal;
    const users = await Promise.all(Array.from({ length: PARALLEL }, newUser));
    for (const { email } of users) await inviteToProject(deps, principal, { projectId, invited: { email } }, CALLER);
    await fillMembers(principal, 199);
    const rows = await deps.db
      .select({ id: sql<string>`id` })
      .from(sql`project_invitations`)
      .where(sql`project_id = ${projectId}`)
      .orderBy(sql`email`);
    const byEmail = users.toSorted((a, b) => (a.email < b.email ? -1 : 1));
    const results = await allCodes(async (index) => {
      const user = byEmail[index];
      assert.ok(user);
      await answerInvitation(deps, user, { id: rows[index]?.id ?? '', accept: true }, CALLER);
    });
    assert.deepEqual(results, ['done', ...repeated('limit_reached')]);
    assert.equal(await countOf(sql`project_members WHERE project_id = ${projectId}`), 200);
    // A refused invitation stays, for when a member has left.
    assert.equal(await countOf(sql`project_invitations WHERE project_id = ${projectId}`), PARALLEL - 1);
  });

  test('inviteToProject keeps one invitation when one address is invited several times at once', async () => {
    const principal = await principalOf(await newUser());
    const { projectId } = principal;
    const caller = { ...CALLER, address: '192.0.2.2' };
    const results = await allCodes(() =>
      inviteToProject(deps, principal, { projectId, invited: { email: 'mary@example.com' } }, caller),
    );
    assert.deepEqual(results, ['done', ...repeated('done')]);
    assert.equal(await countOf(sql`project_invitations WHERE project_id = ${projectId}`), 1);
  });

  test('createProject never passes the limit of projects', async () => {
    const user = await newUser();
    await deps.db.execute(sql`
      INSERT INTO projects (id, name, owner_id, created_at, updated_at)
      SELECT ${user.id} || n, 'filler', ${user.id}, now(), now() FROM generate_series(2, 49) n`);
    const results = await allCodes(() => createProject(deps, user.id, 'one more', CALLER));
    assert.deepEqual(results, ['done', ...repeated('limit_reached')]);
    assert.equal(await countOf(sql`projects WHERE owner_id = ${user.id}`), 50);
  });

  test('insertSession keeps the newest 50 sessions of a user', async () => {
    const user = await newUser();
    const session = { userId: user.id, address: '192.0.2.1', userAgent: 'test' };
    await deps.db.execute(sql`
      INSERT INTO sessions (id, user_id, hash, created_at, last_seen_at, expires_at, confirmed_at, address, user_agent)
      SELECT ${user.id} || n, ${user.id}, ${user.id} || n, '2026-01-01', '2026-01-01', '2027-01-01', '2026-01-01', '', ''
      FROM generate_series(1, 50) n`);
    await allCodes(() => deps.db.transaction((tx) => insertSession(tx, session, NOW)));
    assert.equal(await countOf(sql`sessions WHERE user_id = ${user.id}`), 50);
  });

  test('beginTwoFactor keeps a secret that was confirmed after the request read its user', async () => {
    const user = await newUser();
    const { secret } = await beginTwoFactor(deps, user);
    const pending = (await findUser(deps.db, user.id)) ?? assert.fail('expected the user');
    const code = totp(fromBase32(secret), totpStep(NOW));
    await confirmTwoFactor(deps, pending, { code, sessionId: 'none' }, CALLER);
    await assert.rejects(beginTwoFactor(deps, user), (error) => error instanceof ApiError && error.code === 'conflict');
    assert.equal((await findUser(deps.db, user.id))?.totpSecret, pending.totpSecret);
    await assert.rejects(
      confirmTwoFactor(deps, pending, { code, sessionId: 'none' }, CALLER),
      (error) => error instanceof ApiError && error.code === 'conflict',
    );
    assert.equal(await countOf(sql`recovery_codes WHERE user_id = ${user.id}`), 10);
  });

  test('ensureOwner makes one set-up link when several servers start at once', async () => {
    const passwords = { hash: async () => '', verify: async () => false };
    const links = await Promise.all(Array.from({ length: PARALLEL }, () => ensureOwner({ ...deps, passwords }, null)));
    assert.equal(links.filter((link) => link !== 'unchanged').length, 1);
    assert.equal(await countOf(sql`account_links WHERE purpose = 'set_up'`), 1);
  });
});

/** Make `PARALLEL` calls at once: sorted, `done` for each that succeeded and the error code for each other. */
async function allCodes(call: (index: number) => Promise<unknown>): Promise<string[]> {
  const calls = Array.from({ length: PARALLEL }, async (_, index) => {
    try {
      await call(index);
      return 'done';
    } catch (error) {
      if (error instanceof ApiError) return error.code;
      throw error;
    }
  });
  return (await Promise.all(calls)).sort();
}

function repeated(code: string): string[] {
  return Array.from({ length: PARALLEL - 1 }, () => code);
}
