import { drizzle } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import type { Logger } from '../telemetry/logger.ts';
import { readBigintsAsNumbers } from './bigint-parser.ts';
import { type Database, databaseSize, type Store } from './db.ts';
import { createGuardedPool } from './guarded-pool.ts';
import { loadMigrations, type Migration, type MigrationTransaction, migrate } from './migrate.ts';
import { createOutageLog } from './outage-log.ts';
import { StoreError } from './store-error.ts';
import { openStoreSession } from './store-session.ts';

export interface PostgresOptions {
  /** Maximum number of connections. Default 10. */
  readonly maxConnections?: number;
  /** Longest time of one statement, after which PostgreSQL cancels it. Default 60 s. Migrations have no limit. */
  readonly statementTimeoutMs?: number;
  /** Existing schema that holds the tables. Default: the first of the server's search path. */
  readonly schema?: string;
  /** Gets a line when the database becomes unavailable, and one when it answers again. */
  readonly logger?: Pick<Logger, 'warn' | 'info'>;
}

/** Longer than a restart of PostgreSQL, shorter than the timeout of a client, which should receive 503. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A transaction idle for this long belongs to a process that died; PostgreSQL ends it and frees its locks. */
const MAX_IDLE_TRANSACTION_MS = 60_000;
const STATEMENT_TIMEOUT_MS = 60_000;
/** How much later than PostgreSQL this side gives up on a statement: then the network has lost the answer. */
const ANSWER_SLACK_MS = 10_000;
const NO_LOGGER: Pick<Logger, 'warn' | 'info'> = { warn: () => {}, info: () => {} };

/**
 * Connect to a PostgreSQL server and migrate its schema. Of servers that start together, one migrates and the others wait.
 * A connection that breaks later, also in the middle of a transaction, fails only the queries on it, with
 * `store_unavailable`.
 *
 * Throws `StoreError`: `database_unreachable`, or the reason why this version cannot migrate the data.
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Store> {
  readBigintsAsNumbers();
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  const pool = createGuardedPool({
    connectionString: url,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: MAX_IDLE_TRANSACTION_MS,
    statement_timeout: statementTimeoutMs,
    keepAlive: true,
    application_name: 'gptj-cloud',
    // Compiling a claim takes ten times as long as executing it.
    options: ['-c jit=off', ...(options.schema === undefined ? [] : [`-c search_path=${options.schema}`])].join(' '),
    ...createOutageLog(options.logger ?? NO_LOGGER, () => performance.now()),
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= pool.end());
  try {
    const migrations = await loadMigrations();
    await checkConnection(pool);
    await migrateOn(pool, migrations);
  } catch (error) {
    await close();
    throw error;
  }
  // From here on: a migration may take longer.
  pool.options.query_timeout = statementTimeoutMs + ANSWER_SLACK_MS;
  const db: Database = drizzle(pool);
  return {
    db,
    dump: null,
    openSession: (onHint) => openStoreSession(url, onHint),
    writes: null,
    size: () => databaseSize(db),
    checkDisk: async () => {},
    close,
  };
}

async function checkConnection(pool: pg.Pool): Promise<void> {
  try {
    await pool.query('SELECT 1');
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    // The message omits the URL, which holds a password.
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    throw new StoreError(
      'database_unreachable',
      `cannot use the PostgreSQL of DATABASE_URL: ${reason}; check address, user, password and that the database exists`,
      { cause },
    );
  }
}

/** On one connection: a new one takes PostgreSQL longer than to find that a migration is there. */
async function migrateOn(pool: pg.Pool, migrations: readonly Migration[]): Promise<void> {
  const client = await pool.connect();
  try {
    await migrate((work) => inTransaction(client, work), migrations);
  } finally {
    // Closing a connection rolls an unfinished transaction back. The next one has the time limit of queries.
    client.release(true);
  }
}

async function inTransaction(client: pg.PoolClient, work: (tx: MigrationTransaction) => Promise<void>): Promise<void> {
  await client.query('BEGIN');
  await client.query('SET LOCAL statement_timeout = 0');
  await work({
    exec: (text) => client.query(text),
    query: (text, params) => client.query(text, params),
  });
  await client.query('COMMIT');
}
