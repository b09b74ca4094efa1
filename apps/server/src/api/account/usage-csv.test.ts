/** The CSV of many rows over HTTP: what a slow reader and one that leaves cost. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'drizzle-orm';
import { openTestApp, type TestApp } from '../../testing/test-app.ts';
import { until } from '../../testing/until.ts';

let it: TestApp;
/** Pages of meters that were read. */
let pages = 0;
before(async () => {
  it = await openTestApp();
  const { db } = it.store;
  await db.execute(sql`
    INSERT INTO usage_daily (account_id, day, project_id, user_id, api_key_id, pipeline, plan_id, runs, prompt_tokens,
      generated_tokens, computed_tokens, cached_tokens, compute_ms)
    SELECT 'a', date '2025-06-01', 'p', 'u', 't' || i, 'p', 'plan', 1, 1, 1, 1, 1, 1 FROM generate_series(1, 20000) i`);
  const select = db.select.bind(db);
  // Counts the queries of meters: those alone select an account.
  Object.assign(db, {
    select: (fields: Readonly<Record<string, unknown>> | undefined) => {
      if (fields !== undefined && 'account_id' in fields) pages += 1;
      return fields === undefined ? select() : Reflect.apply(select, db, [fields]);
    },
  });
});
after(() => it.close());

const open = async () => {
  const reply = await it.request('/v2/usage.csv?from=2025-01-01&to=2025-12-31');
  return (reply.body ?? assert.fail()).getReader();
};

test('pages are read as the client reads, not ahead of it, and no more when it leaves', async () => {
  const reader = await open();
  for (let i = 0; i < 3; i++) await reader.read();
  const turns = async (): Promise<void> => {
    let left = 50;
    await until(() => left-- === 0);
  };
  await turns();
  assert.ok(pages <= 6, `${pages} pages for 3 that were read`);
  await reader.cancel();
  await turns();
  const read = pages;
  await turns();
  assert.equal(pages, read);
});

test('all lines come in the end', async () => {
  const reader = await open();
  let text = '';
  for (let part = await reader.read(); !part.done; part = await reader.read())
    text += new TextDecoder().decode(part.value);
  assert.equal(text.trimEnd().split('\r\n').length, 20_001);
});
