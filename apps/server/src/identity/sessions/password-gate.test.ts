import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { mailedSecret, postSignedOut, refusal, registerUser } from '../../testing/browser.ts';
import { openTestApp } from '../../testing/test-app.ts';
import { createPasswordHasher, type PasswordHasher } from './password.ts';
import { gatePasswords } from './password-gate.ts';

/** A hasher whose calls end when the test lets them. */
function heldHasher() {
  const ends: (() => void)[] = [];
  const hasher: PasswordHasher = {
    hash: (password) => new Promise((resolve) => ends.push(() => resolve(`hash of ${password}`))),
    verify: () => new Promise((_, reject) => ends.push(() => reject(new Error('broken')))),
  };
  return { hasher, ends };
}

const isBusy = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 'password_checks_busy' && (error.retryAfterSeconds ?? 0) > 0;

test('computes a few hashes at a time, queues some more in order, and refuses the rest', async () => {
  const { hasher, ends } = heldHasher();
  const gate = gatePasswords(hasher, { running: 2, waiting: 3 });
  const accepted = ['a', 'b', 'c', 'd', 'e'].map((password) => gate.hash(password));
  await assert.rejects(gate.hash('f'), isBusy);
  await assert.rejects(gate.verify('f', null), isBusy);
  assert.equal(ends.length, 2);
  for (let i = 0; i < 5; i++) {
    ends[i]?.();
    await accepted[i];
    assert.ok(ends.length <= i + 3, `${ends.length} begun after ${i + 1} ended`);
  }
  assert.equal(await accepted[4], 'hash of e');
});

test('frees the place of a check that fails', async () => {
  const { hasher, ends } = heldHasher();
  const gate = gatePasswords(hasher, { running: 1, waiting: 0 });
  const first = gate.verify('a', null);
  ends[0]?.();
  await assert.rejects(first, /broken/);
  const second = gate.hash('b');
  ends[1]?.();
  assert.equal(await second, 'hash of b');
});

function countingHasher() {
  const hasher = createPasswordHasher({ n: 16, r: 1, p: 1 });
  const counted = { hashes: 0 };
  const passwords: PasswordHasher = {
    hash: (password) => {
      counted.hashes++;
      return hasher.hash(password);
    },
    verify: (password, hash) => {
      counted.hashes++;
      return hasher.verify(password, hash);
    },
  };
  return { passwords, counted };
}

test('computes no hash for a link that is wrong or used', async () => {
  const { passwords, counted } = countingHasher();
  const it = await openTestApp({ passwords });
  try {
    await registerUser(it, 'percy');
    await postSignedOut(it, '/v2/auth/forgot-password', { email: 'percy@example.com' });
    const token = mailedSecret(it, 'percy@example.com');
    const reset = (link: string) =>
      postSignedOut(it, '/v2/auth/reset-password', { token: link, password: 'Ozymandias1819' });
    counted.hashes = 0;
    assert.equal(await refusal(await reset('x'.repeat(32))), '400 link_invalid');
    const owner = { email: 'o@example.com', username: 'own', password: 'Ozymandias1818' };
    const setUp = await postSignedOut(it, '/v2/auth/set-up', { token: 'x'.repeat(32), ...owner });
    assert.equal(await refusal(setUp), '400 link_invalid');
    assert.equal(counted.hashes, 0);
    assert.equal((await reset(token)).status, 200);
    assert.equal(counted.hashes, 1);
    assert.equal(await refusal(await reset(token)), '400 link_invalid');
    assert.equal(counted.hashes, 1);
  } finally {
    await it.close();
  }
});

test('a sign-in that is refused because the gate is full does not count against the account', async () => {
  let full = false;
  const { passwords } = countingHasher();
  const busy = gatePasswords(passwords, { running: 0, waiting: 0 });
  const it = await openTestApp({
    passwords: { hash: passwords.hash, verify: (password, hash) => (full ? busy : passwords).verify(password, hash) },
  });
  try {
    await registerUser(it, 'percy');
    const signIn = () => postSignedOut(it, '/v2/auth/login', { login: 'percy', password: 'Ozymandias1818' });
    full = true;
    for (let i = 0; i < 40; i++) {
      const reply = await signIn();
      assert.ok(Number(reply.headers.get('retry-after')) > 0);
      assert.equal(await refusal(reply), '503 password_checks_busy');
    }
    full = false;
    assert.equal((await signIn()).status, 200);
  } finally {
    await it.close();
  }
});
