import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { StoreError } from './store-error.ts';

/** One numbered SQL file. Immutable once released: a change of the schema is a new file. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** What the runner needs of a connection inside a transaction; PGlite and node-postgres both can. */
export interface MigrationTransaction {
  /** Run any number of statements without parameters. */
  exec(sql: string): Promise<unknown>;
  query(sql: string, params?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export type RunTransaction = (work: (transaction: MigrationTransaction) => Promise<void>) => Promise<void>;

/** One server migrates at a time; the others wait here and then find nothing to do. Any fixed number will do. */
const ADVISORY_LOCK = 7_024_202_201;

/** The migrations that ship with this version, in order. */
export async function loadMigrations(): Promise<readonly Migration[]> {
  // From dist/store and from src/store alike.
  const folder = new URL('../../src/store/migrations/', import.meta.url);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return await Promise.all(
    names.map(async (name, index) => {
      const version = Number(name.slice(0, 4));
      if (version !== index + 1) throw new Error(`expected migration ${index + 1}, got ${name}`);
      return { version, name, sql: await readFile(new URL(name, folder), 'utf8') };
    }),
  );
}

/**
 * Bring the store up to the newest migration, each in a transaction of its own: a crash leaves a whole number of them.
 *
 * Throws `migration_changed` when a file differs from what was applied, `store_newer` when the store has seen a
 * later version of this program, `migration_failed` when the SQL fails.
 */
export async function migrate(transaction: RunTransaction, migrations: readonly Migration[]): Promise<void> {
  await transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
    await tx.exec(
      `CREATE TABLE IF NOT EXISTS schema_migrations (
         version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
  });
  for (const migration of migrations) await transaction((tx) => apply(tx, migration));
  await transaction(async (tx) => {
    const { rows } = await tx.query('SELECT coalesce(max(version), 0)::int AS version FROM schema_migrations');
    const version = numberField(rows[0], 'version');
    if (version > migrations.length) {
      throw new StoreError(
        'store_newer',
        `the data were written by a newer version: expected schema ${migrations.length} or older, got ${version}; run that version`,
      );
    }
  });
}

async function apply(tx: MigrationTransaction, migration: Migration): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
  const sha256 = createHash('sha256').update(migration.sql).digest('hex');
  const { rows } = await tx.query('SELECT sha256 FROM schema_migrations WHERE version = $1', [migration.version]);
  if (rows.length > 0) {
    if (textField(rows[0], 'sha256') === sha256) return;
    throw new StoreError(
      'migration_changed',
      `migration ${migration.name} differs from the one these data were made with; migrations never change, restore the file`,
    );
  }
  try {
    await tx.exec(migration.sql);
  } catch (cause) {
    throw new StoreError('migration_failed', `migration ${migration.name} failed; nothing of it was kept`, { cause });
  }
  await tx.query('INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)', [
    migration.version,
    migration.name,
    sha256,
  ]);
}

function numberField(row: unknown, name: string): number {
  const value = field(row, name);
  return typeof value === 'number' ? value : Number.NaN;
}

function textField(row: unknown, name: string): string {
  const value = field(row, name);
  return typeof value === 'string' ? value : '';
}

function field(row: unknown, name: string): unknown {
  return typeof row === 'object' && row !== null ? Reflect.get(row, name) : undefined;
}
