/** Pages of a list, ordered by time or a number, and by id among equal ones. One function for the lists of all stores. */
import { formatCursor, invalidParameter, type PageCursor, type PageQuery, type Paginated } from '@gptj-cloud/protocol';
import { and, asc, desc, type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Database } from './db.ts';

/** The rows of a list. An index on the columns of `where`, then time and id, lets the store skip rows without reading them. */
export interface PageSource {
  readonly table: PgTable;
  /** A time, or an integer of the store. */
  readonly time: PgColumn;
  readonly id: PgColumn;
  readonly where: SQL | undefined;
  /** Rows that a page counts at most. Default 250,000. */
  readonly maxCounted?: number;
}

/** A page as a store finds it. */
export interface Page<Row> {
  /** Above the number of rows that are counted, a number that is greater than the position of this page. */
  readonly total: number;
  readonly rows: readonly Row[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** Rows that a page counts: counting more would take longer than finding the page. */
const MAX_COUNTED = 250_000;
/** Of an integer of PostgreSQL. */
const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Find a page. First the ids, from the index alone, however many rows are skipped; then the rows with those ids.
 *
 * @param load the rows with some ids, in any order. It may leave out the last ones, to keep the page short; the cursor then
 *   continues after those it returned.
 */
export async function findPage<Row, Id extends string | number>(
  db: Database,
  source: PageSource,
  page: PageQuery<string>,
  load: (ids: readonly Id[]) => Promise<readonly Row[]>,
  idOf: (row: Row) => Id,
): Promise<Page<Row>> {
  const { cursor, limit, skip } = page;
  const { maxCounted = MAX_COUNTED } = source;
  const counted = cursor?.total ?? (await countRows(db, source, maxCounted));
  const keys = await findKeys<Id>(db, source, page, cursor === undefined && counted < maxCounted ? counted : null);
  const { rows, lastKey } = await loadRows(keys.slice(0, limit), load, idOf);
  const total = Math.max(counted, counted < maxCounted ? 0 : skip + keys.length);
  const isLast = keys.length <= limit && lastKey === keys.at(-1);
  const next = isLast ? undefined : lastKey;
  return {
    total,
    rows,
    nextCursor: next === undefined ? null : formatCursor({ micros: next.micros, id: String(next.id), total, skip: 0 }),
  };
}

/** The rows of a page in its order, and the key of the last one. */
export async function loadRows<Row, Id, RowKey extends { readonly id: Id }>(
  keys: readonly RowKey[],
  load: (ids: readonly Id[]) => Promise<readonly Row[]>,
  idOf: (row: Row) => Id,
): Promise<{ readonly rows: readonly Row[]; readonly lastKey: RowKey | undefined }> {
  const loaded = new Map(
    (keys.length === 0 ? [] : await load(keys.map(({ id }) => id))).map((row) => [idOf(row), row]),
  );
  const rows = keys.flatMap(({ id }) => loaded.get(id) ?? []);
  const lastRow = rows.at(-1);
  // Rows that were deleted since their ids were found are passed over.
  return { rows, lastKey: lastRow === undefined ? keys.at(-1) : keys.find((key) => key.id === idOf(lastRow)) };
}

interface Key<Id> {
  readonly id: Id;
  readonly micros: string;
}

/**
 * The keys of a page, and the one after them if there is one. Rows that are nearer to the end of the list are skipped from
 * there.
 *
 * @param total the number of all rows; null: unknown
 */
async function findKeys<Id>(
  db: Database,
  source: PageSource,
  page: PageQuery<string>,
  total: number | null,
): Promise<readonly Key<Id>[]> {
  const { table, time, id, where } = source;
  const { cursor, skip } = page;
  // One more shows whether there is a next page.
  const end = skip + page.limit + 1;
  const isFromEnd = total !== null && skip > total / 2;
  const offset = isFromEnd ? Math.max(0, total - end) : skip;
  const length = isFromEnd ? total - offset - skip : end - skip;
  if (length <= 0) return [];
  const order = (page.orderBy.direction === 'asc') === isFromEnd ? desc : asc;
  const found = db
    .select({ id: sql`${id}`.as('key_id'), at: sql`${time}`.as('key_at') })
    .from(table)
    .where(and(where, cursor === undefined ? undefined : afterCursor(source, page, cursor)))
    .orderBy(order(time), order(id))
    .offset(offset)
    .limit(length)
    .as('found');
  // Computed outside: inside it would be computed for every skipped row.
  const keys = await db
    .select({
      id: sql<Id>`${found.id}`,
      micros: time.dataType === 'number' ? sql<string>`${found.at}::text` : microsOf(found.at),
    })
    .from(found);
  return isFromEnd ? keys.toReversed() : keys;
}

function microsOf(time: SQL | SQL.Aliased): SQL<string> {
  return sql<string>`(extract(epoch FROM ${time}) * 1000000)::bigint::text`;
}

/** The reply for a page. */
export function toPaginated<Row, Item>(
  { skip, limit }: PageQuery<string>,
  { total, rows, nextCursor }: Page<Row>,
  toItem: (row: Row) => Item,
): Paginated<Item> & { data: Item[]; next_cursor: string | null } {
  return { skip, limit, total, data: rows.map(toItem), next_cursor: nextCursor };
}

/** The rows of a list behind a cursor. */
export function afterCursor({ time, id }: PageSource, page: PageQuery<string>, cursor: PageCursor): SQL {
  const isOfList =
    (id.dataType !== 'number' || /^\d{1,15}$/.test(cursor.id)) &&
    (time.dataType !== 'number' || Math.abs(Number(cursor.micros)) <= MAX_INTEGER);
  if (!isOfList) {
    throw invalidParameter('query->cursor', 'expected the next_cursor of an earlier page of this list');
  }
  const at =
    time.dataType === 'number'
      ? sql`${cursor.micros}::integer`
      : sql`timestamptz 'epoch' + ${cursor.micros}::float8 * interval '1 microsecond'`;
  const key = sql`(${at}, ${sql.param(id.dataType === 'number' ? Number(cursor.id) : cursor.id, id)})`;
  return page.orderBy.direction === 'asc' ? sql`(${time}, ${id}) > ${key}` : sql`(${time}, ${id}) < ${key}`;
}

async function countRows(db: Database, { table, where }: PageSource, max: number): Promise<number> {
  const some = db
    .select({ one: sql`1`.as('one') })
    .from(table)
    .where(where)
    .limit(max)
    .as('some_rows');
  return await db.$count(some);
}
