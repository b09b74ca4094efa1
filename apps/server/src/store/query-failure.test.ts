import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { inspect } from 'node:util';
import { sql } from 'drizzle-orm';
import { pipelineCloudErrors } from '../api/error-dialects.ts';
import { errorReply } from '../http/error-reply.ts';
import { createLogger } from '../telemetry/logger.ts';
import { describeOnEveryStore } from '../testing/test-store.ts';
import type { Database } from './db.ts';
import { QueryFailure } from './query-failure.ts';

const SECRET = 'marie@example.org and I';
const JSON_SECRET = JSON.stringify({ prompt: SECRET });

/** Queries that PostgreSQL, the driver or the pool refuses, each with the secret among its values. */
const FAILING: readonly (readonly [what: string, code: RegExp, run: (db: Database) => Promise<unknown>])[] = [
  ['a key that is taken', /^23505$/, (db) => db.execute(sql`INSERT INTO failing VALUES (${SECRET}, ${'a'})`)],
  ['a row that breaks a check', /^23514$/, (db) => db.execute(sql`INSERT INTO failing VALUES (${'new'}, ${SECRET})`)],
  ['a null in a row with text', /^23502$/, (db) => db.execute(sql`INSERT INTO failing VALUES (${SECRET}, null)`)],
  ['text for a number', /^22P02$/, (db) => db.execute(sql`SELECT ${SECRET}::text::integer`)],
  ['text for a time', /^22007$/, (db) => db.execute(sql`SELECT ${SECRET}::text::timestamptz`)],
  ['text for JSON', /^22P02$/, (db) => db.execute(sql`SELECT ${`[${SECRET}`}::text::jsonb`)],
  [
    'a field of JSON',
    /^22P02$/,
    (db) => db.execute(sql`SELECT * FROM jsonb_to_record(${JSON_SECRET}::text::jsonb) AS e (prompt integer)`),
  ],
  ['text for an array', /^22P02$/, (db) => db.execute(sql`SELECT ${`{${SECRET}`}::text::integer[]`)],
  ['a pattern', /^2201B$/, (db) => db.execute(sql`SELECT 'a' ~ ${`(${SECRET}`}::text`)],
  ['a search', /^42601$/, (db) => db.execute(sql`SELECT to_tsquery('simple', ${`'${SECRET}`}::text)`)],
  ['a path in JSON', /^42601$/, (db) => db.execute(sql`SELECT (${SECRET}::text)::jsonpath`)],
  ['U+0000', /^22021$/, (db) => db.execute(sql`SELECT ${`${SECRET}\0`}::text`)],
  ['an unknown table', /^42P01$/, (db) => db.execute(sql`SELECT ${SECRET}::text FROM absent`)],
  [
    'a query within a transaction',
    /^22P02$/,
    (db) => db.transaction((tx) => tx.execute(sql`SELECT ${SECRET}::text::integer`)),
  ],
  [
    'a query within a nested transaction',
    /^22P02$/,
    (db) => db.transaction((tx) => tx.transaction((nested) => nested.execute(sql`SELECT ${SECRET}::text::integer`))),
  ],
  [
    'a transaction that had failed',
    /^25P02$/,
    (db) =>
      db.transaction(async (tx) => {
        await tx.execute(sql`SELECT ${SECRET}::text::integer`).catch(() => {});
        await tx.execute(sql`SELECT ${SECRET}::text`);
      }),
  ],
];

describeOnEveryStore('a failed query', (store) => {
  before(async () => {
    await store().db.execute(sql`CREATE TABLE failing (key text PRIMARY KEY, value text NOT NULL CHECK (value = 'a'))`);
    await store().db.execute(sql`INSERT INTO failing VALUES (${SECRET}, 'a')`);
  });

  for (const [what, code, run] of FAILING) {
    test(`keeps its values out of error, log and reply: ${what}`, async () => {
      const error = await run(store().db).then(
        () => assert.fail('expected the query to fail'),
        (thrown: unknown) => thrown,
      );
      let cause = error;
      while (cause instanceof Error && !(cause instanceof QueryFailure)) cause = cause.cause;
      assert.ok(cause instanceof QueryFailure, inspect(error));
      assert.match(cause.code, code);
      const lines: string[] = [];
      const logger = createLogger(
        (line) => lines.push(line),
        () => new Date(0),
      );
      const reply = errorReply(error, { errors: pipelineCloudErrors, requestId: 'request-1', logger });
      assert.equal(reply.status, 500);
      const seen = `${inspect(error, { depth: null, showHidden: true })}${lines.join('')}${await reply.text()}`;
      assert.doesNotMatch(seen, /marie|example\.org|and I/);
    });
  }
});

describeOnEveryStore('a closed store', (store) => {
  test('keeps the values of a query that finds it closed out of the error', async () => {
    await store().close();
    await assert.rejects(store().db.execute(sql`SELECT ${SECRET}::text`), (error) => {
      assert.doesNotMatch(inspect(error, { depth: null, showHidden: true }), /marie/);
      return true;
    });
  });
});
