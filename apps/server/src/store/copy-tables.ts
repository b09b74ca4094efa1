/** The tables of a store as a copy sees them: columns, sizes and checksums. */
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { CopyError } from './copy-error.ts';
import type { Database } from './db.ts';
import { returnedRows } from './returned-rows.ts';

interface CopyColumn {
  readonly name: string;
  /** As SQL writes it. */
  readonly type: string;
  /** PostgreSQL gives the numbers of this column. */
  readonly isNumbered: boolean;
}

export interface CopyTable {
  readonly name: string;
  readonly columns: readonly CopyColumn[];
  readonly rows: number;
  /** On the disk, for progress. */
  readonly bytes: number;
  /** At most, as text. */
  readonly maxRowBytes: number;
}

/** What was copied of a table, and the sum of the hashes of its rows. */
export interface CopiedTable {
  readonly name: string;
  readonly rows: string;
  readonly checksum: string;
}

/** Written by the migrations of each store itself. */
const NOT_COPIED = 'schema_migrations';

export async function readTables(db: Database): Promise<readonly CopyTable[]> {
  const columns = returnedRows(
    await db.execute(
      sql`SELECT c.relname AS table_name, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
          a.attidentity <> '' AS numbered, pg_table_size(c.oid)::text AS bytes
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname <> ${NOT_COPIED}
          AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY c.relname, a.attname`,
    ),
    z.object({ table_name: z.string(), name: z.string(), type: z.string(), numbered: z.boolean(), bytes: z.string() }),
  );
  const names = [...new Set(columns.map((column) => column.table_name))];
  const tables: CopyTable[] = [];
  for (const name of names) {
    const own = columns.filter((column) => column.table_name === name);
    const described = own.map((column) => ({ name: column.name, type: column.type, isNumbered: column.numbered }));
    tables.push({
      name,
      columns: described,
      bytes: Number(own[0]?.bytes ?? 0),
      ...(await sizesOf(db, name, described)),
    });
  }
  return tables;
}

/** Number of rows, and the longest text of one: the sum of the longest value of every column. */
async function sizesOf(db: Database, table: string, columns: readonly CopyColumn[]) {
  const longest = columns.map(({ name, type }) => {
    const column = sql.identifier(name);
    // Hexadecimal digits. PostgreSQL knows the length of either without reading the value.
    if (type === 'bytea') return sql`coalesce(max(octet_length(${column})), 0)::bigint * 2`;
    return type === 'text' ? sql`coalesce(max(octet_length(${column})), 0)::bigint` : sql`100::bigint`;
  });
  const found = returnedRows(
    await db.execute(
      sql`SELECT count(*)::text AS rows, (${sql.join(longest, sql` + `)})::text AS longest FROM ${sql.identifier(table)}`,
    ),
    z.object({ rows: z.coerce.number(), longest: z.coerce.number() }),
  )[0];
  return { rows: found?.rows ?? 0, maxRowBytes: found?.longest ?? 0 };
}

/** Throws `copy_differs` unless both stores have the same tables and columns. */
export function checkSameTables(source: readonly CopyTable[], target: readonly CopyTable[]): void {
  const shape = (tables: readonly CopyTable[]): readonly string[] =>
    tables.flatMap(({ name, columns }) => columns.map((column) => `${name}.${column.name} ${column.type}`));
  const [wanted, got] = [shape(source), shape(target)];
  const missing = wanted.find((column) => !got.includes(column)) ?? got.find((column) => !wanted.includes(column));
  if (missing === undefined) return;
  throw new CopyError('copy_differs', `expected the same tables in both stores, got ${missing} in one of them alone`);
}

/** The number of rows and the sum of the hashes of all of them, in any order. */
export async function checksumOf(db: Database, { name, columns }: CopyTable): Promise<CopiedTable> {
  const texts = columns.map((column) =>
    // The text of a long value would take twice its size in memory.
    column.type === 'bytea' ? sql`md5(${sql.identifier(column.name)})` : sql`${sql.identifier(column.name)}::text`,
  );
  const hash = sql`('x' || substr(md5(ROW(${sql.join(texts, sql`, `)})::text), 1, 15))::bit(60)::bigint`;
  const found = returnedRows(
    await db.execute(
      sql`SELECT count(*)::text AS rows, coalesce(sum(${hash}), 0)::text AS checksum FROM ${sql.identifier(name)}`,
    ),
    z.object({ rows: z.string(), checksum: z.string() }),
  )[0];
  return { name, rows: found?.rows ?? '0', checksum: found?.checksum ?? '0' };
}
