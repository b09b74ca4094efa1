/**
 * A logical copy of every table of one store into another, empty one: from the embedded store to a PostgreSQL server and
 * back. The source is read in one snapshot. The target is written in one transaction that compares counts and checksums of
 * every table before it commits: a copy is whole, or there is none.
 */
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { CopyError } from './copy-error.ts';
import { type CopiedTable, type CopyTable, checkSameTables, checksumOf, readTables } from './copy-tables.ts';
import type { Database } from './db.ts';
import { returnedRows } from './returned-rows.ts';

export interface CopyOptions {
  /** No server can have the source open: its folder is locked. Default false. */
  readonly isLocked?: boolean;
  /** Bytes of tables whose rows are copied, of all. */
  readonly onProgress?: (progress: {
    readonly doneBytes: number;
    readonly totalBytes: number;
    readonly table: string;
  }) => void;
  /** Stops the copy; nothing is stored then. */
  readonly signal?: AbortSignal;
}

/** Rows that the migrations of an empty store make, by table. */
const SEEDED_ROWS: Readonly<Record<string, number>> = { users: 1, projects: 1, project_members: 1, project_storage: 1 };
/** Of the texts of one batch of rows. */
const BATCH_BYTES = 8 * 2 ** 20;
const MAX_BATCH_ROWS = 1000;

/** How values are written as text: alike on both sides, and so that reading them gives the same value. */
const TEXT_FORMS = [
  "SET LOCAL TimeZone = 'UTC'",
  "SET LOCAL DateStyle = 'ISO, MDY'",
  "SET LOCAL IntervalStyle = 'postgres'",
  "SET LOCAL bytea_output = 'hex'",
  'SET LOCAL extra_float_digits = 1',
  // A copy takes as long as it takes, and waits for the other side meanwhile.
  'SET LOCAL statement_timeout = 0',
  'SET LOCAL idle_in_transaction_session_timeout = 0',
];

/**
 * Copy all rows. Both stores have the schema of this version. Returns what was copied.
 *
 * Throws `CopyError`: `target_not_empty`, `store_in_use` while a server has the source open, `copy_differs` when counts or
 * checksums differ, `copy_stopped`.
 */
export async function copyStore(
  source: Database,
  target: Database,
  options: CopyOptions = {},
): Promise<readonly CopiedTable[]> {
  return await source.transaction(
    async (from) =>
      await target.transaction(async (to) => {
        for (const form of TEXT_FORMS) await Promise.all([from.execute(sql.raw(form)), to.execute(sql.raw(form))]);
        if (options.isLocked !== true) await refuseLiving(from);
        const tables = await readTables(from);
        checkSameTables(tables, await readTables(to));
        await refuseFilled(to, tables);
        return await copyAll(from, to, tables, options);
      }),
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  );
}

async function copyAll(
  from: Database,
  to: Database,
  tables: readonly CopyTable[],
  { onProgress, signal }: CopyOptions,
): Promise<readonly CopiedTable[]> {
  const restore = await suspendConstraints(to);
  for (const { name } of tables) await to.execute(sql`DELETE FROM ${sql.identifier(name)}`);
  const totalBytes = tables.reduce((sum, { bytes }) => sum + bytes, 0);
  let doneBytes = 0;
  for (const table of tables) {
    await copyRows(from, to, table, (share) => {
      if (signal?.aborted) throw new CopyError('copy_stopped', 'the copy was stopped; the target is unchanged');
      onProgress?.({ doneBytes: doneBytes + share * table.bytes, totalBytes, table: table.name });
    });
    doneBytes += table.bytes;
  }
  await copySequences(from, to, tables);
  await restore();
  const copied: CopiedTable[] = [];
  for (const table of tables) {
    const [wanted, got] = await Promise.all([checksumOf(from, table), checksumOf(to, table)]);
    if (wanted.rows !== got.rows || wanted.checksum !== got.checksum) {
      throw new CopyError(
        'copy_differs',
        `${table.name}: expected ${wanted.rows} rows with checksum ${wanted.checksum}, got ${got.rows} with ${got.checksum}; the target is unchanged`,
      );
    }
    copied.push(got);
  }
  return copied;
}

/** Rows of a table as texts, a batch at a time, into the same table of the target. */
async function copyRows(from: Database, to: Database, table: CopyTable, onShare: (share: number) => void) {
  const name = sql.identifier(table.name);
  const columns = table.columns.map((column) => sql.identifier(column.name));
  const texts = columns.map((column, at) => sql`${column}::text AS ${sql.identifier(`c${at}`)}`);
  await from.execute(sql`DECLARE copied_rows NO SCROLL CURSOR FOR SELECT ${list(texts)} FROM ${name}`);
  const batchRows = Math.max(1, Math.min(MAX_BATCH_ROWS, Math.floor(BATCH_BYTES / Math.max(1, table.maxRowBytes))));
  const rowSchema = z.record(z.string(), z.string().nullable());
  let done = 0;
  onShare(0);
  for (;;) {
    const rows = returnedRows(await from.execute(sql.raw(`FETCH FORWARD ${batchRows} FROM copied_rows`)), rowSchema);
    if (rows.length === 0) break;
    const arrays = table.columns.map((_, at) => sql`${sql.param(rows.map((row) => row[`c${at}`] ?? null))}::text[]`);
    const values = table.columns.map(({ type }, at) => sql`${sql.identifier(`c${at}`)}::${sql.raw(type)}`);
    const given = table.columns.map((_, at) => sql.identifier(`c${at}`));
    await to.execute(
      sql`INSERT INTO ${name} (${list(columns)}) OVERRIDING SYSTEM VALUE SELECT ${list(values)} FROM unnest(${list(arrays)}) AS given (${list(given)})`,
    );
    done += rows.length;
    onShare(table.rows === 0 ? 1 : Math.min(1, done / table.rows));
  }
  await from.execute(sql.raw('CLOSE copied_rows'));
}

/** Numbers that PostgreSQL gives go on after the last one. */
async function copySequences(from: Database, to: Database, tables: readonly CopyTable[]): Promise<void> {
  const schema = z.object({ last: z.coerce.string(), is_called: z.boolean() });
  for (const { name, columns } of tables) {
    for (const column of columns.filter(({ isNumbered }) => isNumbered)) {
      const named = sql`pg_get_serial_sequence(${sql.param(`"${name}"`)}, ${sql.param(column.name)})`;
      const found = returnedRows(
        await from.execute(sql`SELECT ${named} AS sequence`),
        z.object({ sequence: z.string() }),
      )[0];
      if (found === undefined) continue;
      const state = returnedRows(
        await from.execute(sql`SELECT last_value::text AS last, is_called FROM ${sql.raw(found.sequence)}`),
        schema,
      )[0];
      if (state === undefined) continue;
      await to.execute(sql`SELECT setval(${named}::regclass, ${state.last}::bigint, ${state.is_called})`);
    }
  }
}

/**
 * Without triggers, which would count the rows a second time, and without references between tables, so that their order
 * does not matter. Returns what puts them back; the references are then checked for every row.
 */
async function suspendConstraints(to: Database): Promise<() => Promise<void>> {
  const rowSchema = z.object({ table_name: z.string(), name: z.string(), definition: z.string() });
  const references = returnedRows(
    await to.execute(
      sql`SELECT c.relname AS table_name, k.conname AS name, pg_get_constraintdef(k.oid) AS definition
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE k.contype = 'f' AND n.nspname = current_schema() ORDER BY 1, 2`,
    ),
    rowSchema,
  );
  const triggered = returnedRows(
    await to.execute(
      sql`SELECT DISTINCT c.relname AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND n.nspname = current_schema()`,
    ),
    z.object({ name: z.string() }),
  );
  const alter = async (table: string, change: SQL): Promise<void> => {
    await to.execute(sql`ALTER TABLE ${sql.identifier(table)} ${change}`);
  };
  for (const { name } of triggered) await alter(name, sql`DISABLE TRIGGER USER`);
  for (const { table_name: table, name } of references)
    await alter(table, sql`DROP CONSTRAINT ${sql.identifier(name)}`);
  return async () => {
    for (const { table_name: table, name, definition } of references) {
      await alter(table, sql`ADD CONSTRAINT ${sql.identifier(name)} ${sql.raw(definition)}`);
    }
    for (const { name } of triggered) await alter(name, sql`ENABLE TRIGGER USER`);
  };
}

/** A server that has the source open would store rows that the copy does not have. */
async function refuseLiving(from: Database): Promise<void> {
  const found = await from.execute(sql`SELECT count(*)::int AS servers FROM usage_holders WHERE expires_at > now()`);
  const servers = returnedRows(found, z.object({ servers: z.number() }))[0]?.servers ?? 0;
  if (servers === 0) return;
  throw new CopyError(
    'store_in_use',
    `expected a store that no server uses, got one with ${servers} running; stop every server that uses it (after a kill, wait a minute)`,
  );
}

async function refuseFilled(to: Database, tables: readonly CopyTable[]): Promise<void> {
  const hasPassword = returnedRows(
    await to.execute(sql`SELECT count(*)::int AS found FROM users WHERE password_hash IS NOT NULL`),
    z.object({ found: z.number() }),
  )[0];
  for (const { name } of tables) {
    const rows = returnedRows(
      await to.execute(sql`SELECT count(*)::int AS found FROM ${sql.identifier(name)}`),
      z.object({ found: z.number() }),
    )[0];
    const isFilled =
      (rows?.found ?? 0) > (SEEDED_ROWS[name] ?? 0) || (name === 'users' && (hasPassword?.found ?? 0) > 0);
    if (!isFilled) continue;
    throw new CopyError(
      'target_not_empty',
      `expected an empty store to copy into, got one with ${rows?.found} rows in ${name}; name another database, or a data folder without a store`,
    );
  }
}

function list(parts: readonly SQL[] | ReturnType<typeof sql.identifier>[]): SQL {
  return sql.join([...parts], sql`, `);
}
