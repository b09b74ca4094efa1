import type { PageQuery } from '@gptj-cloud/protocol';
import { asc, desc, type SQL } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';

/** The order of a page: by time, and by id among rows of the same millisecond, so that pages neither repeat nor skip rows. */
export function pageOrder({ orderBy }: PageQuery<string>, time: PgColumn, id: PgColumn): readonly [SQL, SQL] {
  const order = orderBy.direction === 'asc' ? asc : desc;
  return [order(time), order(id)];
}
