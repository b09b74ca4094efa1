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
