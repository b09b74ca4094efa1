/**
 * A failed query in words. The values of a query are prompts, results, addresses and hashes; PostgreSQL repeats them in
 * messages, details and contexts, and Drizzle in the message of its error. None of them may reach a log or a reply, so
 * they end here, where every query passes.
 */
import pg from 'pg';

/** What PostgreSQL answered to a query: its code, the names of what the query concerned, and no value. */
export class QueryFailure extends Error {
  override readonly name = 'QueryFailure';
  /** The SQLSTATE. */
  readonly code: string;
  readonly table: string | undefined;
  readonly constraint: string | undefined;

  constructor({ code = '', message, table, constraint }: pg.DatabaseError) {
    super(NAMES_ONLY.has(code.slice(0, 2)) && !NAMES_VALUES.has(code) ? message : beforeValue(message));
    this.code = code;
    this.table = table;
    this.constraint = constraint;
  }
}

/**
 * Classes of SQLSTATEs whose messages name nothing but tables, columns, constraints, settings and databases. The other
 * ones, data exceptions (22) first of all, repeat values.
 */
const NAMES_ONLY: ReadonlySet<string> = new Set(
  '08 0A 0B 23 25 28 2B 2D 2F 3D 3F 40 42 53 54 55 57 58 P0 XX'.split(' '),
);
/** Syntax errors, which may be those of a value such as a path or a search. */
const NAMES_VALUES: ReadonlySet<string> = new Set(['42601', '42602']);

/** A message up to the first value in it: values are quoted, or follow a colon. */
function beforeValue(message: string): string {
  const places = [message.indexOf('"'), message.indexOf(':')].filter((at) => at !== -1);
  return places.length === 0 ? message : `${message.slice(0, Math.min(...places)).trimEnd()} …`;
}

/** The error of a driver without values; errors that PostgreSQL did not send have none, and stay as they are. */
export function withoutValues(error: unknown): unknown {
  return error instanceof pg.DatabaseError ? new QueryFailure(error) : error;
}

/**
 * Remove the values of a failed query from the arguments of `query`. Drizzle makes its error of the same array, after the
 * driver has failed; an array of values belongs to one execution.
 */
export function dropValues([query, values]: readonly unknown[]): void {
  if (Array.isArray(values)) values.length = 0;
  const own = typeof query === 'object' && query !== null && 'values' in query ? query.values : undefined;
  if (Array.isArray(own)) own.length = 0;
}
