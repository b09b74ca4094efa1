import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Store } from '../../store/db.ts';
import { returnedRows } from '../../store/returned-rows.ts';
import type { WriteWatch } from '../../store/write-watch.ts';
import { openEmbeddedTestStore } from '../../testing/test-store.ts';
import { apiKeys, projectMembers, projects, users } from '../identity-tables.ts';
import { createKeyFinder, ensureApiKey, type FoundApiKey, recordKeyUse } from './api-key-store.ts';
import { KEY_TABLES, rememberKeys } from './key-memory.ts';

const TOKEN = 'gptj_remembered';
const NOW = new Date(0);
let store: Store;
let writes: WriteWatch;
before(async () => {
  store = await openEmbeddedTestStore();
  if (store.writes === null) assert.fail('expected the embedded store to notice writes');
  writes = store.writes;
});
after(() => store.close());
beforeEach(async () => {
  await store.db.delete(apiKeys);
  await ensureApiKey(store.db, { environmentToken: TOKEN, now: NOW });
});

/** A finder with a memory, and the number of queries that it made. */
const openMemory = () => {
  const query = createKeyFinder(store.db);
  const memory = {
    queries: 0,
    find: rememberKeys(async (token) => {
      memory.queries += 1;
      return await query(token);
    }, writes),
  };
  return memory;
};
const idOf = (found: FoundApiKey | null): string => found?.key.id ?? assert.fail('expected a key, got none');

test('a key that was found needs no query again', async () => {
  const memory = openMemory();
  const first = await memory.find(TOKEN);
  assert.deepEqual(await memory.find(TOKEN), first);
  await store.db.select().from(users);
  await store.db.transaction((tx) => tx.select().from(apiKeys).for('update'));
  assert.equal(idOf(await memory.find(TOKEN)), idOf(first));
  assert.equal(memory.queries, 1);
});

test('a key that a write overtook is not kept', async () => {
  let answer = (_key: FoundApiKey | null): void => {};
  const query = createKeyFinder(store.db);
  const key = await query(TOKEN);
  let queries = 0;
  const find = rememberKeys(() => {
    queries += 1;
    return new Promise((resolve) => {
      answer = resolve;
    });
  }, writes);
  const first = find(TOKEN);
  await store.db.update(apiKeys).set({ isEnabled: false });
  answer(key);
  assert.equal((await first)?.key.isEnabled, true);
  const second = find(TOKEN);
  answer(await query(TOKEN));
  assert.equal((await second)?.key.isEnabled, false);
  assert.equal(queries, 2);
});

test('no function of the schema changes these tables, which the memory would not notice', async () => {
  const bodies = returnedRows(
    await store.db.execute(sql`SELECT proname AS name, prosrc AS body FROM pg_proc JOIN pg_namespace ns ON ns.oid = pronamespace
      WHERE nspname NOT IN ('pg_catalog', 'information_schema')`),
    z.object({ name: z.string(), body: z.string() }),
  );
  assert.ok(bodies.length > 0);
  const change = new RegExp(
    `\\b(insert\\s+into|update|delete\\s+from|truncate)\\s+(only\\s+)?(${KEY_TABLES.join('|')})\\b`,
    'i',
  );
  assert.deepEqual(
    bodies.filter(({ body }) => change.test(body)).map(({ name }) => name),
    [],
  );
});

// The last test: it leaves no project behind.
test('every change of what the query reads takes effect at the next request', async () => {
  const memory = openMemory();
  const { key } = (await memory.find(TOKEN)) ?? assert.fail('expected a key, got none');
  const changes: readonly (readonly [change: () => Promise<unknown>, read: (found: FoundApiKey | null) => unknown])[] =
    [
      [() => store.db.update(apiKeys).set({ isEnabled: false }), (found) => found?.key.isEnabled === false],
      [() => store.db.update(users).set({ disabledAt: NOW }), (found) => found?.disabled === true],
      [() => store.db.update(users).set({ planId: 'changed' }), (found) => found?.principal.planId === 'changed'],
      [() => recordKeyUse(store.db, key.id, NOW), (found) => found?.key.lastUsedAt?.getTime() === NOW.getTime()],
      [
        () => store.db.transaction((tx) => tx.update(users).set({ role: 'member' })),
        (found) => found?.principal.role === 'member',
      ],
      [() => store.db.delete(projectMembers), (found) => found === null],
    ];
  for (const [change, isSeen] of changes) {
    await change();
    assert.ok(isSeen(await memory.find(TOKEN)), change.toString());
  }
  await store.db
    .insert(projectMembers)
    .values({ projectId: key.projectId, userId: key.userId, role: 'owner', addedAt: NOW });
  idOf(await memory.find(TOKEN));
  await store.db.delete(projects).where(eq(projects.id, key.projectId));
  assert.equal(await memory.find(TOKEN), null, 'a deletion that the schema passes on');
});
