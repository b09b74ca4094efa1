import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkMigrations } from './migrations.mjs';

const migration = (number, text) => ({
  path: `apps/server/src/store/migrations/00${number}-x.sql`,
  text: `${text}\n`,
});
const first = migration(30, 'CREATE TABLE a (x int); DROP INDEX b;');
const check = (sql) => checkMigrations([first, migration(31, sql)]);

test('a migration that takes something from the version before, without raising min_reader, is reported', () => {
  for (const statement of [
    'DROP TABLE a;',
    'ALTER TABLE a DROP x;',
    'DROP INDEX a_x;',
    'ALTER TABLE a RENAME x TO y;',
    'ALTER TABLE a ALTER COLUMN x TYPE bigint;',
    'ALTER TABLE a ALTER x SET NOT NULL;',
    'ALTER TABLE a ADD y int NOT NULL;',
    'ALTER TABLE a ADD z int, ADD y int NOT NULL, ADD w int NOT NULL DEFAULT 1;',
    'ALTER TABLE a ADD CONSTRAINT small CHECK (x < 5);',
    'CREATE UNIQUE INDEX a_x ON a (x);',
    'CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 2 $$;',
    'CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f();',
  ]) {
    const findings = check(`-- min_reader: 30\nCREATE TABLE c (x int);\n${statement}`);
    assert.equal(findings.length, 1, statement);
    assert.match(findings[0], /expected a min_reader above 30, got 30$/);
    assert.deepEqual(check(`-- min_reader: 31\n${statement}`), []);
    assert.deepEqual(check(statement), [], 'without a line it is the number of the migration');
  }
});

test('a migration that adds is not reported', () => {
  const sql = `-- min_reader: 30
    -- Nothing here would DROP a column;
    ALTER TABLE a ADD y int, ADD z text NOT NULL DEFAULT 'DROP TABLE a; RENAME';
    CREATE INDEX a_y ON a (y);
    CREATE TABLE c (x int NOT NULL UNIQUE);
    CREATE UNIQUE INDEX c_x ON c (x);
    CREATE TRIGGER c_t AFTER INSERT OR DELETE ON c FOR EACH ROW EXECUTE FUNCTION g();
    CREATE FUNCTION g() RETURNS int LANGUAGE sql AS $body$ ALTER TABLE a DROP x; SELECT 1 $body$;
    UPDATE a SET y = 1;`;
  assert.deepEqual(check(sql), []);
});

test('min_reader above the number of its migration is reported', () => {
  assert.match(check('-- min_reader: 32\nCREATE TABLE d (x int);')[0], /expected at most its own number/);
});

test('min_reader counts from the highest before it', () => {
  const files = [first, migration(31, 'SELECT 1;'), migration(32, '-- min_reader: 31\nDROP TABLE a;')];
  assert.match(checkMigrations(files)[0], /above 31, got 31$/);
});
