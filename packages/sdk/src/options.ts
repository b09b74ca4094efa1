/** Options that several calls share. */

export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions extends CallOptions {
  /** Items to leave out. Default 0. */
  readonly skip?: number;
  /** Items to give at most, up to 100. Default 20. */
  readonly limit?: number;
  /** By date of creation. Default `newest`. */
  readonly order?: 'newest' | 'oldest';
}

export function pageQuery({ skip = 0, limit = 20, order = 'newest' }: ListOptions): URLSearchParams {
  const orderBy = order === 'newest' ? 'created_at:desc' : 'created_at:asc';
  return new URLSearchParams({ limit: String(limit), skip: String(skip), order_by: orderBy });
}

/** `?…` of what is given; empty when nothing is. */
export function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? '' : `?${query}`;
}
