import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'drizzle-orm';
import { createScratchDatabase, WITHOUT_POSTGRES } from '../testing/test-store.ts';
import { until } from '../testing/until.ts';
import { openPostgres } from './postgres.ts';
import { HINT_CHANNEL } from './store-session.ts';

test('one process of a store is elected, the next when it is gone, and each hears the hints', {
  skip: WITHOUT_POSTGRES,
}, async () => {
  const database = await createScratchDatabase();
  const store = await openPostgres(database.url);
  try {
    const heard: string[] = [];
    const open = (name: string) => {
      const session = store.openSession?.((text) => heard.push(`${name} ${text}`));
      assert.ok(session !== undefined);
      return session;
    };
    const [a, b] = [open('a'), open('b')];
    assert.deepEqual([await a.isElected(), await b.isElected(), await a.isElected()], [true, false, true]);
    await store.db.execute(sql`SELECT pg_notify(${HINT_CHANNEL}, 'p')`);
    await until(() => heard.length === 2);
    assert.deepEqual(heard.sort(), ['a p', 'b p']);

    // As when the database restarts: the session connects again.
    await store.db.execute(
      sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gptj-cloud session' AND pid <> pg_backend_pid()`,
    );
    await until(async () => (await b.isElected()) || (await a.isElected()));
    await Promise.all([a.close(), b.close()]);
    assert.equal(await a.isElected(), false);
    const c = open('c');
    await until(() => c.isElected());
    await c.close();
  } finally {
    await store.close();
    await database.drop();
  }
});
