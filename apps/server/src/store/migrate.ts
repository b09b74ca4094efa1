import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { StoreError } from './store-error.ts';

/** One numbered SQL file, immutable once released: a schema change is a new file. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** The part of a connection inside a transaction that migrations use; PGlite and node-postgres both have it. */
export interface MigrationTransaction {
  /** Execute any number of statements without parameters. */
  exec(sql: string): Promise<unknown>;
  query(sql: string, params?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export type RunTransaction = (work: (transaction: MigrationTransaction) => Promise<void>) => Promise<void>;

/** Key of the lock that servers wait for while another one migrates. An arbitrary constant. */
const ADVISORY_LOCK = 7_024_202_201;

/** The migrations that ship with this version, in order. */
export async function loadMigrations(): Promise<readonly Migration[]> {
  // The path is valid from dist/store and from src/store.
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
 * Apply the missing migrations, each in its own transaction: after a crash, every migration is applied whole or not at all.
 *
 * Throws `migration_changed` when a file differs from the applied one, `store_newer` when a later version of this program
 * has migrated the store, `migration_failed` when the SQL fails.
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
        `a newer version wrote this store: expected schema ${migrations.length} or older, got ${version}; run that version`,
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
      `migration ${migration.name} differs from the one applied to this store; released migrations never change, restore the file`,
    );
  }
  try {
    await tx.exec(migration.sql);
  } catch (cause) {
    throw new StoreError('migration_failed', `migration ${migration.name} failed and was rolled back`, { cause });
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
