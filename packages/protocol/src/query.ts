import { ApiError } from './api-error.ts';

/** Order of a list. */
export interface OrderBy<Field extends string> {
  readonly field: Field;
  readonly direction: 'asc' | 'desc';
}

/** Which page of a list. */
export interface PageQuery<Field extends string> {
  readonly skip: number;
  readonly limit: number;
  readonly orderBy: OrderBy<Field>;
}

/** Longest page served. */
export const MAX_PAGE = 100;
const DEFAULT_PAGE = 20;

/** A value of a query string; empty counts as absent (httpx leaves `name=` for unset ones). */
export type QueryValue = string | undefined;

/**
 * A boolean: `true`/`false` from httpx, `True`/`False` from requests, `1`/`0` by hand. Absent is false.
 * Throws `invalid_request`.
 */
export function parseQueryBoolean(name: string, value: QueryValue): boolean {
  if (value === undefined || value === '') return false;
  const lower = value.toLowerCase();
  if (lower === 'true' || lower === '1') return true;
  if (lower === 'false' || lower === '0') return false;
  throw invalidParameter(`query->${name}`, `expected true or false, got ${show(value)}`);
}

/** `skip` (default 0), `limit` (default 20, most 100) and `order_by` (`field:asc` or `field:desc`). */
export function parsePageQuery<Field extends string>(
  query: { readonly skip: QueryValue; readonly limit: QueryValue; readonly orderBy: QueryValue },
  fields: readonly [Field, ...Field[]],
): PageQuery<Field> {
  return {
    skip: parseInteger('skip', query.skip, 0, 0, 2 ** 31 - 1),
    limit: parseInteger('limit', query.limit, DEFAULT_PAGE, 1, MAX_PAGE),
    orderBy: parseOrderBy(query.orderBy, fields),
  };
}

/** `created_at:desc`; the first field descending when absent. Throws `invalid_request` for another field or direction. */
export function parseOrderBy<Field extends string>(
  value: QueryValue,
  fields: readonly [Field, ...Field[]],
): OrderBy<Field> {
  if (value === undefined || value === '') return { field: fields[0], direction: 'desc' };
  const [name, direction, ...rest] = value.split(':');
  const field = fields.find((known) => known === name);
  if (field === undefined || rest.length > 0 || (direction !== 'asc' && direction !== 'desc')) {
    const choices = fields.map((known) => `${known}:asc or ${known}:desc`).join(', ');
    throw invalidParameter('query->order_by', `expected ${choices}, got ${show(value)}`);
  }
  return { field, direction };
}

/** A refusal that names one parameter of the request, in the shape of a list of validation errors. */
export function invalidParameter(parameter: string, error: string): ApiError {
  return invalidParameters([{ parameter, error }]);
}

/** A refusal that lists every parameter at fault. */
export function invalidParameters(errors: readonly { readonly parameter: string; readonly error: string }[]): ApiError {
  const count = `${errors.length} validation error${errors.length === 1 ? '' : 's'}`;
  const summary = errors.map(({ parameter, error }) => `${parameter}: ${error}`).join('; ');
  return new ApiError('invalid_request', { count, summary }, { details: { errors } });
}

function parseInteger(name: string, value: QueryValue, fallback: number, min: number, max: number): number {
  if (value === undefined || value === '') return fallback;
  const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw invalidParameter(`query->${name}`, `expected an integer from ${min} to ${max}, got ${show(value)}`);
  }
  return number;
}

function show(value: string): string {
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
}
