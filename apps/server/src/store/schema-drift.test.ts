import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { is, SQL, sql } from 'drizzle-orm';
import { getTableConfig, PgDialect, PgTable } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import * as auditTables from '../audit/audit-tables.ts';
import * as evaluationTables from '../evaluations/evaluation-tables.ts';
import * as pipelineTagTables from '../generation/pipelines/pipeline-tag-tables.ts';
import * as presetTables from '../generation/presets/preset-tables.ts';
import * as servingTables from '../generation/serving/serving-tables.ts';
import * as identityTables from '../identity/identity-tables.ts';
import * as billingTables from '../metering/billing/billing-tables.ts';
import * as maintenanceTables from '../metering/maintenance/maintenance-tables.ts';
import * as storageTables from '../metering/storage/storage-tables.ts';
import * as usageTables from '../metering/usage/usage-tables.ts';
import * as runCountsTables from '../runs/counts/run-counts-tables.ts';
import * as nodeTables from '../runs/nodes/node-tables.ts';
import * as runTables from '../runs/run-tables.ts';
import { openTestStore } from '../testing/test-store.ts';
import * as webhookTables from '../webhooks/webhook-tables.ts';
import type { Store } from './db.ts';
import { returnedRows } from './returned-rows.ts';

const TABLES = [
  auditTables,
  billingTables,
  evaluationTables,
  identityTables,
  maintenanceTables,
  nodeTables,
  pipelineTagTables,
  presetTables,
  runCountsTables,
  runTables,
  servingTables,
  storageTables,
  usageTables,
  webhookTables,
]
  .flatMap((module): readonly unknown[] => Object.values(module))
  .filter((value): value is PgTable => is(value, PgTable))
  .map((table) => getTableConfig(table));
/** Tables that no query builder names: the migration runner's, and those behind the SQL functions of 0004-usage.sql. */
const UNDECLARED = ['schema_migrations', 'usage_accounts', 'usage_reservations'];

let store: Store;
before(async () => {
  store = await openTestStore();
});
after(() => store.close());

async function rows(query: SQL): Promise<readonly Record<string, unknown>[]> {
  return returnedRows(await store.db.execute(query), z.record(z.string(), z.unknown()));
}

test('the migrations create the tables that the table files declare, and no others', async () => {
  const found = await rows(
    sql`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name`,
  );
  assert.deepEqual(
    found.map(({ name }) => name).filter((name) => !UNDECLARED.includes(String(name))),
    TABLES.map(({ name }) => name).sort(),
  );
});

test('every column has the type, nullability and default that its declaration states', async () => {
  const found = await rows(sql`
    SELECT c.relname AS "table", a.attname AS "column", format_type(a.atttypid, a.atttypmod) AS type,
           a.attnotnull AS "notNull", pg_get_expr(d.adbin, d.adrelid) AS "default"
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped`);
  const actual = found
    .filter(({ table }) => !UNDECLARED.includes(String(table)))
    .map(({ table, column, type, notNull, default: value }) =>
      describe([table, column, type, notNull === true ? 'not null' : 'null', value ?? 'no default']),
    );
  const declared = TABLES.flatMap(({ name, columns, primaryKeys }) => {
    const keys = new Set(primaryKeys.flatMap((key) => key.columns.map((column) => column.name)));
    return columns.map((column) => {
      const isNotNull = column.notNull || keys.has(column.name);
      const value = column.default === undefined ? 'no default' : defaultText(column.default);
      return describe([name, column.name, sqlType(column.getSQLType()), isNotNull ? 'not null' : 'null', value]);
    });
  });
  assert.deepEqual(actual.sort(), declared.sort());
});

// A table file may leave out a foreign key to another room's table, and a unique index: queries do not read them.
test('primary keys are those declared, and every declared unique and foreign key exists', async () => {
  const found = await rows(sql`
    SELECT conrelid::regclass::text AS "table", contype AS kind, confrelid::regclass::text AS target,
           ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY k(n, i)
                 JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY i) AS columns
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f')`);
  const actual = found
    .filter(({ table }) => !UNDECLARED.includes(String(table)))
    .map(({ table, kind, target, columns }) => describe([table, kind, columns, kind === 'f' ? target : '']));
  const declared = TABLES.flatMap(({ name, columns, primaryKeys, uniqueConstraints, foreignKeys }) => [
    ...columns.filter((column) => column.primary).map((column) => describe([name, 'p', [column.name], ''])),
    ...primaryKeys.map((key) => describe([name, 'p', key.columns.map((column) => column.name), ''])),
    ...columns.filter((column) => column.isUnique).map((column) => describe([name, 'u', [column.name], ''])),
    ...uniqueConstraints.map((key) => describe([name, 'u', key.columns.map((column) => column.name), ''])),
    ...foreignKeys.map((key) => {
      const { columns: own, foreignTable } = key.reference();
      return describe([name, 'f', own.map((column) => column.name), getTableConfig(foreignTable).name]);
    }),
  ]);
  const primary = (keys: readonly string[]): readonly string[] => keys.filter((key) => / p /.test(key)).sort();
  assert.deepEqual(primary(actual), primary(declared));
  assert.deepEqual(
    declared.filter((key) => !actual.includes(key)),
    [],
  );
});

test('every declared index exists', async () => {
  const found = await rows(
    sql`SELECT tablename AS "table", indexname AS name FROM pg_indexes WHERE schemaname = 'public'`,
  );
  const actual = new Set(found.map(({ table, name }) => describe([table, name])));
  const declared = TABLES.flatMap(({ name, indexes }) => indexes.map((index) => describe([name, index.config.name])));
  assert.deepEqual(
    declared.filter((index) => !actual.has(index)),
    [],
  );
});

function describe(parts: readonly unknown[]): string {
  return parts
    .map((part) => (Array.isArray(part) ? `(${part.join(', ')})` : String(part)))
    .join(' ')
    .trim();
}

/** PostgreSQL's own name of a type, as `format_type` gives it. */
function sqlType(declared: string): string {
  return declared.replace(/^timestamp \((\d)\) with time zone$/, 'timestamp($1) with time zone');
}

/** A default as `pg_get_expr` prints it. */
function defaultText(value: unknown): string {
  if (is(value, SQL)) return new PgDialect().sqlToQuery(value).sql;
  return typeof value === 'string' ? `'${value}'::text` : String(value);
}
