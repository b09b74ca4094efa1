import { isId } from '@gptj-cloud/protocol';
import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Database } from '../../store/db.ts';
import { files } from '../run-tables.ts';
import { INLINE_BYTES, type NewFile, type StoredFile } from './file.ts';

interface FileTable {
  readonly id: PgColumn;
  readonly name: PgColumn;
  readonly path: PgColumn;
  readonly bytes: PgColumn;
}

/** Columns of a {@link StoredFile}, of the table or an alias of it. `all` reads the bytes of large files, too. */
export function fileColumns(table: FileTable, bytes: 'small' | 'all') {
  const content: SQL =
    bytes === 'all'
      ? sql`${table.bytes}`
      : sql`CASE WHEN octet_length(${table.bytes}) <= ${INLINE_BYTES} THEN ${table.bytes} END`;
  return {
    id: sql<string>`${table.id}`,
    name: sql<string>`${table.name}`,
    path: sql<string>`${table.path}`,
    sizeBytes: sql<number>`octet_length(${table.bytes})`,
    bytes: sql<Uint8Array | null>`${content}`,
  };
}

export async function insertFile(db: Database, projectId: string, file: NewFile, createdAt: Date): Promise<void> {
  const { id, name, path, bytes } = file;
  await db.insert(files).values({ id, projectId, name, path, bytes, createdAt });
}

export interface NewFileRow {
  readonly projectId: string;
  readonly file: NewFile;
  readonly createdAt: Date;
}

/** Many small files in one statement, as one parameter: a parameter for each value costs more than the insertion. */
export async function insertFiles(db: Database, rows: readonly NewFileRow[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  // A single file may be large.
  if (rows.length === 1) return await insertFile(db, first.projectId, first.file, first.createdAt);
  const items = rows.map(({ projectId, file: { id, name, path, bytes }, createdAt }) => {
    return { id, projectId, name, path, base64: Buffer.from(bytes).toString('base64'), createdAt };
  });
  await db.execute(sql`
    INSERT INTO files (id, project_id, name, path, bytes, created_at)
    SELECT id, "projectId", name, path, decode(base64, 'base64'), "createdAt"
    FROM jsonb_to_recordset(${JSON.stringify(items)}::text::jsonb) AS e (
      id text, "projectId" text, name text, path text, base64 text, "createdAt" timestamptz)`);
}

/** A file of a project; those of other projects count as absent. */
export async function findFile(
  db: Database,
  projectId: string,
  id: string,
  bytes: 'small' | 'all',
): Promise<StoredFile | null> {
  // Only a valid id reaches the query: PostgreSQL fails on text with U+0000.
  if (!isId('file', id)) return null;
  const rows = await db
    .select(fileColumns(files, bytes))
    .from(files)
    .where(and(eq(files.id, id), eq(files.projectId, projectId)));
  return rows[0] ?? null;
}
