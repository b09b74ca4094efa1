/** The table of files. Small ones have their bytes in their row, large ones in slices: `file-slices-store.ts`. */
import { isId } from '@gptj-cloud/protocol';
import { and, eq, inArray, lt, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Database } from '../../store/db.ts';
import { data, files, runs } from '../run-tables.ts';
import { INLINE_BYTES, type NewFile, type StoredFile } from './file.ts';
import { insertSlices, isSliced } from './file-slices-store.ts';

interface FileTable {
  readonly id: PgColumn;
  readonly name: PgColumn;
  readonly path: PgColumn;
  readonly bytes: PgColumn;
  readonly sizeBytes: PgColumn;
}

/** Columns of a {@link StoredFile}, of the table or an alias of it. */
export function fileColumns(table: FileTable) {
  const content: SQL = sql`CASE WHEN ${table.sizeBytes} <= ${INLINE_BYTES} THEN ${table.bytes} END`;
  return {
    id: sql<string>`${table.id}`,
    name: sql<string>`${table.name}`,
    path: sql<string>`${table.path}`,
    sizeBytes: sql<number>`${table.sizeBytes}`.mapWith(Number),
    bytes: sql<Uint8Array | null>`${content}`,
  };
}

export interface NewFileRow {
  readonly projectId: string;
  readonly file: NewFile;
  readonly createdAt: Date;
}

/** The row of a file whose bytes follow. */
export interface UnstoredRow extends Omit<NewFileRow, 'file'> {
  readonly file: StoredFile;
}

/**
 * Store files in a transaction. Small ones in one statement, as one parameter: a parameter for each value costs more than
 * the insertion. A large file whose slices were written before is only marked.
 */
export async function insertFiles(tx: Database, rows: readonly NewFileRow[]): Promise<void> {
  const small = rows.filter(({ file }) => !isSliced(file.sizeBytes));
  if (small.length > 0) {
    const items = small.map(({ projectId, file: { id, name, path, bytes, sizeBytes }, createdAt }) => {
      return { id, projectId, name, path, base64: Buffer.from(bytes).toString('base64'), sizeBytes, createdAt };
    });
    await tx.execute(sql`
      INSERT INTO files (id, project_id, name, path, bytes, size_bytes, is_stored, created_at)
      SELECT id, "projectId", name, path, decode(base64, 'base64'), "sizeBytes", true, "createdAt"
      FROM jsonb_to_recordset(${JSON.stringify(items)}::text::jsonb) AS e (
        id text, "projectId" text, name text, path text, base64 text, "sizeBytes" bigint, "createdAt" timestamptz)`);
  }
  for (const row of rows) {
    if (!isSliced(row.file.sizeBytes)) continue;
    if (await insertUnstored(tx, row)) await insertSlices(tx, row.file);
    await markStored(tx, row.file.id);
  }
}

/**
 * Insert files, and `others` that refer to them. Where the files take one statement, `others` are sent with it: the store
 * works on statements in the order in which they are sent.
 */
export async function insertFilesWith<Result>(
  tx: Database,
  rows: readonly NewFileRow[],
  others: () => Promise<Result>,
): Promise<Result> {
  const inserted = insertFiles(tx, rows);
  if (rows.some(({ file }) => isSliced(file.sizeBytes))) await inserted;
  const [, result] = await Promise.all([inserted, others()]);
  return result;
}

/** Insert the row of a file whose slices follow; false when it is there. No query finds the file before `markStored`. */
export async function insertUnstored(db: Database, { projectId, file, createdAt }: UnstoredRow): Promise<boolean> {
  const { id, name, path, sizeBytes } = file;
  const row = { id, projectId, name, path, bytes: null, sizeBytes, isStored: false, createdAt };
  const rows = await db.insert(files).values(row).onConflictDoNothing().returning({ id: files.id });
  return rows.length > 0;
}

/**
 * Write a large file outside a transaction, so that others use the store between its slices; `insertFiles` marks it as
 * stored. It counts from the beginning.
 */
export async function writeLargeFile(db: Database, row: NewFileRow): Promise<void> {
  await insertUnstored(db, row);
  await insertSlices(db, row.file);
}

async function markStored(db: Database, id: string): Promise<void> {
  await db.update(files).set({ isStored: true }).where(eq(files.id, id));
}

/**
 * Change the size of a file whose bytes still come, as more of them come than were announced. `require` checks the
 * difference while the file cannot be deleted.
 */
export async function growUnstored(
  tx: Database,
  id: string,
  sizeBytes: number,
  require: () => Promise<void>,
): Promise<void> {
  // Rows before counts, as every deletion locks them.
  await tx.select({ id: files.id }).from(files).where(eq(files.id, id)).for('update');
  await require();
  await tx.update(files).set({ sizeBytes }).where(eq(files.id, id));
}

/** All bytes of a file are there: make it visible, with its true size. */
export async function finishUnstored(tx: Database, { id, sizeBytes }: StoredFile): Promise<void> {
  await tx.update(files).set({ sizeBytes, isStored: true }).where(eq(files.id, id));
}

/** Delete a file that was not stored to its end. */
export async function removeUnstored(db: Database, id: string): Promise<void> {
  await db.delete(files).where(and(eq(files.id, id), eq(files.isStored, false)));
}

/** Delete up to `limit` files whose upload began before `horizon` and has not ended: its process died. */
export async function removeAbandoned(db: Database, horizon: Date, limit: number): Promise<number> {
  const old = db
    .select({ id: files.id })
    .from(files)
    .where(and(eq(files.isStored, false), lt(files.createdAt, horizon)))
    .limit(limit);
  const removed = await db.delete(files).where(sql`${files.id} = ANY(ARRAY(${old}))`).returning({ id: files.id });
  return removed.length;
}

/** A file of a project; those of other projects count as absent. */
export async function findFile(db: Database, projectId: string, id: string): Promise<StoredFile | null> {
  // Only a valid id reaches the query: PostgreSQL fails on text with U+0000.
  if (!isId('file', id)) return null;
  const rows = await db
    .select(fileColumns(files))
    .from(files)
    .where(and(eq(files.id, id), eq(files.projectId, projectId), eq(files.isStored, true)));
  return rows[0] ?? null;
}

/** Lock a file against deletion until the transaction ends. False when it is gone. */
export async function holdFile(tx: Database, id: string): Promise<boolean> {
  const rows = await tx.select({ id: files.id }).from(files).where(eq(files.id, id)).for('key share');
  return rows.length > 0;
}

/** Delete a file. Returns the ids of the data or of the run that uses it instead; null when it was deleted. */
export async function deleteFile(tx: Database, id: string): Promise<string | null> {
  // Data that are being made of the file hold it until they are stored, and are then found below.
  await tx.select({ id: files.id }).from(files).where(eq(files.id, id)).for('update');
  const [ofData] = await tx.select({ id: data.id }).from(data).where(eq(data.fileId, id)).limit(1);
  const [ofRun] = await tx.select({ id: runs.id }).from(runs).where(eq(runs.resultFileId, id)).limit(1);
  const user = ofData ?? ofRun;
  if (user !== undefined) return user.id;
  await tx.delete(files).where(eq(files.id, id));
  return null;
}

/** Delete files that were stored for nothing. */
export async function deleteFiles(tx: Database, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await tx.delete(files).where(inArray(files.id, [...ids]));
}
