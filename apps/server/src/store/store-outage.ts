/**
 * What a failed query means to the caller: an outage of the store (connection lost, restart, full disk, no free
 * connection, query took too long) becomes an `ApiError` with status 503 or 507, so that every route, run and poll that
 * queries the store reports it alike. Other errors (constraints, SQL) stay as they are.
 */
import { ApiError } from '@gptj-cloud/protocol';

const RETRY_SECONDS = 2;
const FULL_RETRY_SECONDS = 30;

/** Errors of sockets and of name resolution. */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);

/** SQLSTATEs that do not blame the query, with the reason in words. The first two characters name a whole class. */
const SQL_STATES: ReadonlyMap<string, string> = new Map([
  ['08', 'the connection was lost'],
  ['57P01', 'the database is restarting'],
  ['57P02', 'the database is restarting'],
  ['57P03', 'the database is starting'],
  ['57P04', 'the database was removed'],
  ['57P05', 'the connection was idle for too long'],
  ['25P03', 'a transaction was idle for too long'],
  ['25P04', 'a transaction took too long'],
  ['57014', 'a query took too long'],
  ['55P03', 'a lock was not free in time'],
  ['40001', 'a transaction conflicted with another'],
  ['40P01', 'a transaction conflicted with another'],
  // A server that was the primary until a moment ago.
  ['25006', 'the database accepts no writes'],
  ['53', 'the database is at its limits'],
  ['58', 'the database cannot reach its files'],
]);

/** Errors of node-postgres without a code. */
const DRIVER_MESSAGES: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^timeout exceeded when trying to connect/, 'all connections to the database are in use'],
  [/^Query read timeout/, 'a query took too long'],
  [
    /^(?:Connection terminated|Client (?:has encountered|was closed)|Client has already been)/,
    'the connection was lost',
  ],
  [/^(?:Cannot use a pool|Called end on pool)/, 'the server is stopping'],
  [/^(?:sorry, too many clients|remaining connection slots)/, 'all connections to the database are in use'],
];

/**
 * The outage behind a failed query as an `ApiError` with the failure as its cause; other errors unchanged.
 *
 * @param isFull the store accepts no writes because its disk is full
 */
export function asOutage(error: unknown, isFull = false): unknown {
  if (!(error instanceof Error) || error instanceof ApiError) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === '53100' || code === 'ENOSPC' || code === 'EDQUOT' || (isFull && code === '25006'))
    return storeFull(error);
  const reason =
    SQL_STATES.get(code) ??
    SQL_STATES.get(/^[0-9A-Z]{5}$/.test(code) ? code.slice(0, 2) : '') ??
    (NETWORK_CODES.has(code) ? 'the connection was lost' : undefined) ??
    DRIVER_MESSAGES.find(([pattern]) => pattern.test(error.message))?.[1];
  return reason === undefined ? error : storeUnavailable(reason, error);
}

export function storeUnavailable(reason: string, cause?: unknown): ApiError {
  return new ApiError('store_unavailable', { reason }, { retryAfterSeconds: RETRY_SECONDS, cause });
}

export function storeFull(cause?: unknown): ApiError {
  return new ApiError('store_full', {}, { retryAfterSeconds: FULL_RETRY_SECONDS, cause });
}

/** Whether an error, or one of its causes, is an outage of the store. */
export function isOutage(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof ApiError && (each.code === 'store_unavailable' || each.code === 'store_full')) return true;
  }
  return false;
}
