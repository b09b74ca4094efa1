import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { readBigintsAsNumbers } from './bigint-parser.ts';
import type { Store } from './db.ts';
import { loadMigrations, type MigrationTransaction, migrate } from './migrate.ts';
import { StoreError } from './store-error.ts';

export interface PostgresOptions {
  /** Most connections at a time. Default 10. */
  readonly maxConnections?: number;
  /** Schema that holds the tables; it must exist. Default: what the server's search path says. */
  readonly schema?: string;
  /** Told of connections that broke while nobody used them; the pool replaces them. */
  readonly onIdleError?: (error: Error) => void;
}

/** For a connection: long enough for a server that restarts, short enough to answer 503 before clients give up. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A transaction of ours that does nothing for so long has lost its owner; its locks must not stay. */
const IDLE_TRANSACTION_MS = 60_000;

/**
 * Connect to a PostgreSQL and migrate it. Servers that start together migrate once: the others wait.
 *
 * Throws `StoreError`: `database_unreachable`, and when the data and this version do not fit together.
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Store> {
  readBigintsAsNumbers();
  const pool = new pg.Pool({
    connectionString: url,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
    application_name: 'gptj-cloud',
    ...(options.schema === undefined ? {} : { options: `-c search_path=${options.schema}` }),
  });
  // Without a listener, a connection lost while idle ends the process.
  pool.on('error', (error) => options.onIdleError?.(error));
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= pool.end());
  try {
    const migrations = await loadMigrations();
    await reach(pool);
    await migrate((work) => inTransaction(pool, work), migrations);
  } catch (error) {
    await close();
    throw error;
  }
  return { db: drizzle(pool), dump: null, close };
}

async function reach(pool: pg.Pool): Promise<void> {
  try {
    await pool.query('SELECT 1');
  } catch (cause) {
    // The address stays out of the message: it holds a password.
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
    // A connection in an unknown state is closed, which rolls back.
    client.release(broken);
  }
}
