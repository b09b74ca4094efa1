/**
 * Pages of the rows of a list that hold a text. Comparing a row takes long and no index helps, so a page compares a bounded
 * number of rows. It may have few matches, or none, and its cursor continues where it stopped.
 */
import { formatCursor, type PageQuery } from '@gptj-cloud/protocol';
import { and, asc, desc, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from './db.ts';
import { afterCursor, loadRows, type Page, type PageSource } from './page.ts';
import { returnedRows } from './returned-rows.ts';

/** An index on the columns of `where`, then time and id, that includes the columns of `matches`, is all that is read. */
export interface SearchSource extends PageSource {
  /** What is compared. */
  readonly matches: SQL | undefined;
  /** Rows of `where` that a page compares. Default 10,000. */
  readonly maxCompared?: number;
}

/** Some hundredths of a second on the embedded store. */
const MAX_COMPARED = 10_000;
/** Matches that a total counts beyond its page. */
const MAX_COUNTED = 1_000;

const keySchema = z.object({ id: z.string(), micros: z.string() });
type Key = z.infer<typeof keySchema>;

/**
 * Find a page of matches. Its `total` counts those of this and the earlier pages, and up to 1,000 behind them: all where
 * `nextCursor` is null.
 *
 * @param load the rows with some ids, in any order. It may leave out the last ones, to keep the page short
 */
export async function findSearchPage<Row>(
  db: Database,
  source: SearchSource,
  page: PageQuery<string>,
  load: (ids: readonly string[]) => Promise<readonly Row[]>,
  idOf: (row: Row) => string,
): Promise<Page<Row>> {
  const { cursor, limit } = page;
  const skip = page.skip + (cursor?.skip ?? 0);
  const wanted = Math.max(skip + limit + 1, MAX_COUNTED);
  const keys = await findMatches(db, source, page, wanted);
  const { rows, lastKey } = await loadRows(keys.slice(skip, skip + limit), load, idOf);
  const passed = lastKey === undefined ? Math.min(skip, keys.length) : keys.indexOf(lastKey) + 1;
  const before = cursor?.total ?? 0;
  const total = before + keys.length;
  // A page without rows has passed all matches.
  if (passed < keys.length && lastKey !== undefined) {
    return { total, rows, nextCursor: formatCursor({ ...lastKey, total: before + passed, skip: 0 }) };
  }
  const end = await endOfCompared(db, source, page);
  return {
    total,
    rows,
    nextCursor: end === null ? null : formatCursor({ ...end, total, skip: skip - Math.min(skip, keys.length) }),
  };
}

/** The first matches of those that the page compares. */
async function findMatches(db: Database, source: SearchSource, page: PageQuery<string>, limit: number) {
  const { table, time, id, matches, maxCompared = MAX_COMPARED } = source;
  // Under the name of the table, so that its columns can be named outside.
  const found = await db.execute(sql`
    SELECT ${id} AS id, ${microsOf(time)} AS micros
    FROM (${rowsAfter(source, page)} LIMIT ${maxCompared}) AS ${table}
    WHERE ${matches ?? sql`true`} ORDER BY ${orderOf(source, page)} LIMIT ${limit}`);
  return returnedRows(found, keySchema);
}

/** The last row that the page compares; null when it is the last one of the list. */
async function endOfCompared(db: Database, source: SearchSource, page: PageQuery<string>): Promise<Key | null> {
  const { table, time, id, maxCompared = MAX_COMPARED } = source;
  const found = await db.execute(sql`
    SELECT ${id} AS id, ${microsOf(time)} AS micros
    FROM (${rowsAfter(source, page)} OFFSET ${maxCompared - 1} LIMIT 2) AS ${table} ORDER BY ${orderOf(source, page)}`);
  const [end = null, next] = returnedRows(found, keySchema);
  return next === undefined ? null : end;
}

/** In the order of the list. Of all columns, those that are used outside are read. */
function rowsAfter(source: SearchSource, page: PageQuery<string>): SQL {
  const { table, where } = source;
  const { cursor } = page;
  const isAfter = and(where, cursor === undefined ? undefined : afterCursor(source, page, cursor)) ?? sql`true`;
  return sql`SELECT * FROM ${table} WHERE ${isAfter} ORDER BY ${orderOf(source, page)}`;
}

function orderOf({ time, id }: SearchSource, { orderBy }: PageQuery<string>): SQL {
  const order = orderBy.direction === 'asc' ? asc : desc;
  return sql`${order(time)}, ${order(id)}`;
}

function microsOf(time: SearchSource['time']): SQL {
  return sql`(extract(epoch FROM ${time}) * 1000000)::bigint::text`;
}
