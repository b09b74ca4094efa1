import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { readBigintsAsNumbers } from './bigint-parser.ts';
import type { Store } from './db.ts';
import { loadMigrations, type MigrationTransaction, migrate } from './migrate.ts';
import { StoreError } from './store-error.ts';

export interface PostgresOptions {
  /** Maximum number of connections. Default 10. */
  readonly maxConnections?: number;
  /** Existing schema that holds the tables. Default: the first of the server's search path. */
  readonly schema?: string;
  /** Called when an idle connection breaks; the pool replaces it. */
  readonly onIdleError?: (error: Error) => void;
}

/** Longer than a restart of PostgreSQL, shorter than the timeout of a client, which should receive 503. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A transaction idle for this long belongs to a process that died; PostgreSQL ends it and frees its locks. */
const MAX_IDLE_TRANSACTION_MS = 60_000;

/**
 * Connect to a PostgreSQL server and migrate its schema. Of servers that start together, one migrates and the others wait.
 *
 * Throws `StoreError`: `database_unreachable`, or the reason why this version cannot migrate the data.
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Store> {
  readBigintsAsNumbers();
  const pool = new pg.Pool({
    connectionString: url,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: MAX_IDLE_TRANSACTION_MS,
    application_name: 'gptj-cloud',
    ...(options.schema === undefined ? {} : { options: `-c search_path=${options.schema}` }),
  });
  // Without a listener, a broken idle connection ends the process.
  pool.on('error', (error) => options.onIdleError?.(error));
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= pool.end());
  try {
    const migrations = await loadMigrations();
    await checkConnection(pool);
    await migrate((work) => inTransaction(pool, work), migrations);
  } catch (error) {
    await close();
    throw error;
  }
  return { db: drizzle(pool), dump: null, close };
}

async function checkConnection(pool: pg.Pool): Promise<void> {
  try {
    await pool.query('SELECT 1');
  } catch (cause) {
    // The message omits the URL, which holds a password.
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    throw new StoreError(
      'database_unreachable',
      `cannot use the PostgreSQL of DATABASE_URL: ${reason}; check address, user, password and that the database exists`,
      { cause },
    );
  }
}

async function inTransaction(pool: pg.Pool, work: (tx: MigrationTransaction) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  let broken = true;
  try {
    await client.query('BEGIN');
    await work({
      exec: (text) => client.query(text),
      query: (text, params) => client.query(text, params),
    });
    await client.query('COMMIT');
    broken = false;
  } finally {
    // Closing a connection in an unknown state rolls its transaction back.
    client.release(broken);
  }
}
