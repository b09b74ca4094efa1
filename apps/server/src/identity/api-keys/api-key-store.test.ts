import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { sql } from 'drizzle-orm';
import type { Store } from '../../store/db.ts';
import { openTestStore } from '../../testing/test-store.ts';
import { apiKeys, users } from '../identity-tables.ts';
import { createKeyFinder, ensureApiKey } from './api-key-store.ts';

let store: Store;
before(async () => {
  store = await openTestStore();
});
after(() => store.close());
beforeEach(() => store.db.delete(apiKeys));

const NOW = new Date(0);
const known = async (token: string): Promise<boolean> => (await createKeyFinder(store.db)(token)) !== null;

const ensure = (environmentToken: string | null) => ensureApiKey(store.db, { environmentToken, now: NOW });

test('the first start creates a token and returns it once', async () => {
  const { generated } = await ensure(null);
  assert.match(generated ?? '', /^gptj_[\w-]{32}$/);
  assert.ok(await known(generated ?? ''));
  assert.equal((await ensure(null)).generated, null);
  assert.ok(await known(generated ?? ''));
});

test('a token from the environment is added and takes no other token away', async () => {
  const nothing = { generated: null, isAdded: false, isUnusable: false, fromOtherStarts: 0 };
  assert.deepEqual(await ensure('first-token'), { ...nothing, isAdded: true });
  assert.deepEqual(await ensure('first-token'), nothing);
  assert.deepEqual(await ensure('second-token'), { ...nothing, isAdded: true, fromOtherStarts: 1 });
  assert.deepEqual([await known('first-token'), await known('second-token')], [true, true]);
  assert.deepEqual(await ensure(null), { ...nothing, fromOtherStarts: 2 });
  assert.deepEqual([await known('first-token'), await known('second-token')], [true, true]);
});

test('reports a token of the environment that is disabled or expired, and leaves it so', async () => {
  await ensure('first-token');
  await store.db.update(apiKeys).set({ isEnabled: false });
  assert.equal((await ensure('first-token')).isUnusable, true);
  await store.db.update(apiKeys).set({ isEnabled: true, expiresAt: NOW });
  assert.equal((await ensure('first-token')).isUnusable, true);
});

test('generates no token in a store whose owner has a password', async () => {
  await store.db.update(users).set({ passwordHash: 'x' });
  assert.equal((await ensure(null)).generated, null);
  await store.db.update(users).set({ passwordHash: null });
  assert.notEqual((await ensure(null)).generated, null);
});

test('stores no generated token that could not be kept for the operator', async () => {
  const keep = async () => Promise.reject(new Error('disk full'));
  await assert.rejects(ensureApiKey(store.db, { environmentToken: null, now: NOW, keep }), /disk full/);
  assert.equal(await store.db.$count(apiKeys), 0);
});

test('stores the hash of a token and not the token', async () => {
  await ensure('a-secret-token');
  const rows = await store.db.execute(sql`SELECT * FROM api_keys`);
  assert.doesNotMatch(JSON.stringify(rows), /a-secret-token/);
});

test('returns null for an unknown token and for a hash used as a token', async () => {
  await ensure('a-secret-token');
  const [row] = await store.db.select().from(apiKeys);
  assert.deepEqual(
    [await known(''), await known(row?.hash ?? ''), await known('a-secret-toke')],
    [false, false, false],
  );
});

test('of starts at the same time on one store, one generates the first token', async () => {
  const ensured = await Promise.all(Array.from({ length: 8 }, () => ensure(null)));
  assert.equal(ensured.filter(({ generated }) => generated !== null).length, 1);
  assert.equal(await store.db.$count(apiKeys), 1);
});
