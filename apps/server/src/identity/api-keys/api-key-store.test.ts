import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { sql } from 'drizzle-orm';
import type { Store } from '../../store/db.ts';
import { openTestStore } from '../../testing/test-store.ts';
import { apiKeys } from '../identity-tables.ts';
import { createKeyFinder, ensureApiKey } from './api-key-store.ts';

let store: Store;
before(async () => {
  store = await openTestStore();
});
after(() => store.close());
beforeEach(() => store.db.delete(apiKeys));

const NOW = new Date(0);
const known = async (token: string): Promise<boolean> => (await createKeyFinder(store.db)(token)) !== null;

test('the first start creates a token and returns it once', async () => {
  const token = await ensureApiKey(store.db, null, NOW);
  assert.match(token ?? '', /^gptj_[\w-]{32}$/);
  assert.ok(await known(token ?? ''));
  assert.equal(await ensureApiKey(store.db, null, NOW), null);
  assert.ok(await known(token ?? ''));
});

test('a token from the environment is valid as long as the environment contains it', async () => {
  assert.equal(await ensureApiKey(store.db, 'first-token', NOW), null);
  assert.ok(await known('first-token'));
  await ensureApiKey(store.db, 'second-token', NOW);
  assert.deepEqual([await known('first-token'), await known('second-token')], [false, true]);
  assert.notEqual(await ensureApiKey(store.db, null, NOW), null);
  assert.equal(await known('second-token'), false);
});

test('stores the hash of a token and not the token', async () => {
  await ensureApiKey(store.db, 'a-secret-token', NOW);
  const rows = await store.db.execute(sql`SELECT * FROM api_keys`);
  assert.doesNotMatch(JSON.stringify(rows), /a-secret-token/);
});

test('returns null for an unknown token and for a hash used as a token', async () => {
  await ensureApiKey(store.db, 'a-secret-token', NOW);
  const [row] = await store.db.select().from(apiKeys);
  assert.deepEqual(
    [await known(''), await known(row?.hash ?? ''), await known('a-secret-toke')],
    [false, false, false],
  );
});
