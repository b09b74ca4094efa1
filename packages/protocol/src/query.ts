import { ApiError } from './api-error.ts';
import type { PageCursor } from './page-cursor.ts';

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
  /** The page begins after this position; `skip` counts from there. */
  readonly cursor?: PageCursor | undefined;
}

/** Maximum number of entries on a page. */
export const MAX_PAGE = 100;

/** A value of a query string; empty counts as absent (httpx leaves `name=` for unset ones). */
export type QueryValue = string | undefined;

/** An `invalid_request` error for one parameter, in the form of a list of validation errors. */
export function invalidParameter(parameter: string, error: string): ApiError {
  return invalidParameters([{ parameter, error }]);
}

/** An `invalid_request` error that lists every invalid parameter. */
export function invalidParameters(errors: readonly { readonly parameter: string; readonly error: string }[]): ApiError {
  const count = `${errors.length} validation error${errors.length === 1 ? '' : 's'}`;
  const summary = errors.map(({ parameter, error }) => `${parameter}: ${error}`).join('; ');
  return new ApiError('invalid_request', { count, summary }, { details: { errors } });
}
