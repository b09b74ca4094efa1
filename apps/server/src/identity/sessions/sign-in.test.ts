import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import type { Database } from '../../store/db.ts';
import { PASSWORD, registerUser } from '../../testing/browser.ts';
import { openTestApp, type TestApp } from '../../testing/test-app.ts';
import type { PasswordHasher } from './password.ts';
import { signIn } from './sign-in.ts';

let it: TestApp;
before(async () => {
  it = await openTestApp();
  await registerUser(it, 'percy');
});
after(() => it.close());

const STATEMENTS = ['select', 'insert', 'update', 'delete', 'execute', 'transaction', '$count'];

/** The database and a hasher that record their calls. */
function recording(steps: string[]): { readonly db: Database; readonly passwords: PasswordHasher } {
  const db = new Proxy(it.store.db, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (STATEMENTS.includes(String(name))) steps.push(String(name));
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const { passwords } = it.accounts;
  return {
    db,
    passwords: {
      hash: passwords.hash,
      verify(password, hash) {
        steps.push('verify');
        return passwords.verify(password, hash);
      },
    },
  };
}

/** The code of the refusal and the steps before it. */
async function refused(login: string, password: string, address: string): Promise<string> {
  const steps: string[] = [];
  const caller = { userId: null, apiKeyId: null, address, requestId: 'test' };
  const client = { userAgent: '', device: null };
  const error: unknown = await signIn(
    { ...it.accounts, ...recording(steps) },
    { login, password },
    caller,
    client,
  ).catch((caught: unknown) => caught);
  assert.ok(error instanceof ApiError);
  return [error.code, error.retryAfterSeconds ?? '', ...steps].join(' ');
}

test('takes the same steps for a known login and an unknown one, until it is locked and then', async () => {
  const replies = async (login: string, address: string): Promise<string[]> => {
    const all: string[] = [];
    for (let i = 0; i < 8; i++) all.push(await refused(login, 'Wrong12345', address));
    return all;
  };
  const [known, byMail, unknown] = [
    await replies('percy', '192.0.2.1'),
    await replies('percy@example.com', '192.0.2.2'),
    await replies('unknown', '192.0.2.3'),
  ];
  assert.deepEqual(known, unknown);
  assert.deepEqual(byMail, unknown);
  assert.match(unknown[0] ?? '', /^sign_in_failed {2}select.* verify .*insert$/);
  assert.match(unknown[7] ?? '', /^too_many_attempts 15 select/);
  assert.doesNotMatch(unknown[7] ?? '', /verify/);
});

test('an account without a password takes the same steps as one with another', async () => {
  await it.store.db.execute(`UPDATE users SET password_hash = NULL WHERE username = 'percy'`);
  const without = await refused('percy', PASSWORD, '192.0.2.4');
  assert.equal(without, await refused('unknown', PASSWORD, '192.0.2.5'));
});
