import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { StoreError } from './store-error.ts';

/** One numbered SQL file, immutable once released: a schema change is a new file. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /**
   * The oldest program that works with the store after this migration, as the version of its last migration. A file says it in its
   * first line, `-- min_reader: 30`; without one it is the migration's own version, and no older program starts.
   */
  readonly minReader: number;
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
      const sql = await readFile(new URL(name, folder), 'utf8');
      const stated = /^-- min_reader: (\d+)$/m.exec(sql.split('\n', 1)[0] ?? '')?.[1];
      return { version, name, sql, minReader: stated === undefined ? version : Number(stated) };
    }),
  );
}

/**
 * Apply the missing migrations, each in its own transaction: after a crash, every migration is applied whole or not at all. A
 * store that a later version of this program has migrated is used as it is, when its migrations allow this one to.
 *
 * Throws `migration_changed` when a file differs from the applied one, `store_newer` when this program is too old for
 * the store, `migration_failed` when the SQL fails.
 */
export async function migrate(transaction: RunTransaction, migrations: readonly Migration[]): Promise<void> {
  const applied = new Map<number, string>();
  await transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
    await tx.exec(
      `CREATE TABLE IF NOT EXISTS schema_migrations (
         version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    await addMinReader(tx);
    const { rows } = await tx.query('SELECT version, sha256 FROM schema_migrations');
    for (const row of rows) applied.set(numberField(row, 'version'), textField(row, 'sha256'));
  });
  // Most starts find all of them there: this query takes the place of a transaction for each.
  for (const migration of migrations) {
    if (applied.get(migration.version) !== sha256Of(migration)) await transaction((tx) => apply(tx, migration));
  }
  await transaction(async (tx) => {
    const { rows } = await tx.query(
      'SELECT max(version) AS version, max(coalesce(min_reader, version)) AS oldest FROM schema_migrations',
    );
    const oldest = numberField(rows[0], 'oldest');
    if (oldest > migrations.length) {
      throw new StoreError(
        'store_newer',
        `a newer version wrote this store: its schema ${numberField(rows[0], 'version')} needs a program of schema ${oldest} or newer, ` +
          `got one of schema ${migrations.length}; run the newer version`,
      );
    }
  });
}

/** To a store of before: its programs started on no schema newer than their own. */
async function addMinReader(tx: MigrationTransaction): Promise<void> {
  const { rows } = await tx.query(
    `SELECT 1 AS one FROM pg_attribute WHERE attrelid = 'schema_migrations'::regclass AND attname = 'min_reader' AND NOT attisdropped`,
  );
  // Even where nothing is to add, ALTER TABLE would wait for a backup that reads the table.
  if (rows.length > 0) return;
  await tx.exec(`ALTER TABLE schema_migrations ADD min_reader integer;
    UPDATE schema_migrations SET min_reader = version`);
}

/** Another server may have applied it meanwhile. */
async function apply(tx: MigrationTransaction, migration: Migration): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
  const sha256 = sha256Of(migration);
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
  await tx.query('INSERT INTO schema_migrations (version, name, sha256, min_reader) VALUES ($1, $2, $3, $4)', [
    migration.version,
    migration.name,
    sha256,
    migration.minReader,
  ]);
}

function sha256Of({ sql }: Migration): string {
  return createHash('sha256').update(sql).digest('hex');
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
