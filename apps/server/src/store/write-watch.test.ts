import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWriteWatch } from './write-watch.ts';

test('counts the statements that may change a watched table', () => {
  const watch = createWriteWatch();
  const count = watch.of(['users', 'api_keys']);
  const writes = [
    'update "users" set "plan_id" = $1',
    'INSERT INTO api_keys VALUES ($1)',
    'delete from "public"."users"',
    'TRUNCATE users',
    'set x = 1; truncate table users',
    'WITH gone AS (DELETE FROM users RETURNING id) SELECT id FROM gone',
    'ALTER TABLE users DROP COLUMN email',
    'update only users set role = $1',
  ];
  for (const [at, text] of writes.entries()) {
    watch.note(text);
    assert.equal(count(), at + 1, text);
  }
  watch.note(writes[0] ?? '');
  assert.equal(count(), writes.length + 1, 'the same text again');
});

test('counts no statement that only reads, and none about other tables', () => {
  const watch = createWriteWatch();
  const count = watch.of(['users']);
  const others = [
    'select * from "users" for update',
    ' SELECT 1',
    'begin',
    'commit',
    'insert into "user_names" values ($1)',
    'update "runs" set "state" = $1',
    'insert into "projects" select "id" from "users"',
    'UPDATE runs SET payer = (SELECT id FROM users LIMIT 1)',
  ];
  for (const text of others) {
    watch.note(text);
    assert.equal(count(), 0, text);
  }
});

test('a table that is watched later counts texts that are known already', () => {
  const watch = createWriteWatch();
  watch.note('update "users" set "role" = $1');
  const count = watch.of(['users']);
  watch.note('update "users" set "role" = $1');
  assert.equal(count(), 1);
});
