/** Options of several calls. */

export interface CallOptions {
  /** Aborts the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions extends CallOptions {
  /** Number of items to skip. Default 0. */
  readonly skip?: number;
  /** Continue after an earlier page: its `nextCursor`. Any page takes the same time, however far down the list it is. */
  readonly cursor?: string | undefined;
  /** Maximum number of items, up to 100. Default 20. */
  readonly limit?: number;
  /** Which items come first, by creation date. Default `newest`. */
  readonly order?: 'newest' | 'oldest';
}

export function pageQuery({ skip = 0, limit = 20, order = 'newest', cursor }: ListOptions): URLSearchParams {
  const orderBy = order === 'newest' ? 'created_at:desc' : 'created_at:asc';
  const query = new URLSearchParams({ limit: String(limit), skip: String(skip), order_by: orderBy });
  if (cursor !== undefined) query.set('cursor', cursor);
  return query;
}

/** The query string of the values that are not undefined; empty when there are none. */
export function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? '' : `?${query}`;
}

/** Proof that the user is there in person. */
export interface Confirmation {
  readonly password: string;
  /** Code of the authenticator app, or a recovery code, where two-factor is on. */
  readonly code?: string;
}

/**
 * Options of a call that needs its user to be there in person. A session that began or was confirmed some minutes ago needs no
 * `confirmation`.
 */
export interface ConfirmedOptions extends CallOptions {
  readonly confirmation?: Confirmation | undefined;
}

/** Percent-encoded: headers carry no other characters than those of ASCII safely. */
export function confirmationHeaders(confirmation: Confirmation | undefined): Readonly<Record<string, string>> {
  if (confirmation === undefined) return {};
  const { password, code } = confirmation;
  return {
    'x-confirm-password': encodeURIComponent(password),
    ...(code === undefined ? {} : { 'x-confirm-code': code }),
  };
}
