import { isId } from '@gptj-cloud/protocol';
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { fileColumns } from '../files/file-store.ts';
import { data, files, runs } from '../run-tables.ts';
import type { StoredData } from './data.ts';

export async function insertData(db: Database, projectId: string, row: StoredData): Promise<void> {
  await insertAllData(db, [{ projectId, data: row }]);
}

/** All rows in one statement. Their files must be stored. */
export async function insertAllData(
  db: Database,
  rows: readonly { readonly projectId: string; readonly data: StoredData }[],
): Promise<void> {
  if (rows.length === 0) return;
  const items = rows.map(({ projectId, data: { id, file, createdAt } }) => {
    return { id, projectId, fileId: file.id, createdAt };
  });
  await db.execute(sql`
    INSERT INTO data (id, project_id, file_id, created_at)
    SELECT id, "projectId", "fileId", "createdAt"
    FROM jsonb_to_recordset(${JSON.stringify(items)}::text::jsonb) AS e (
      id text, "projectId" text, "fileId" text, "createdAt" timestamptz)`);
}

/** Data of a project; those of other projects count as absent. */
export async function findData(db: Database, projectId: string, id: string): Promise<StoredData | null> {
  if (!isId('data', id)) return null;
  const rows = await db
    .select({ id: data.id, createdAt: data.createdAt, file: fileColumns(files) })
    .from(data)
    .innerJoin(files, eq(files.id, data.fileId))
    .where(and(eq(data.id, id), eq(data.projectId, projectId)));
  return rows[0] ?? null;
}

/** Lock data for a run that is about to be stored against deletion until the transaction ends. Returns the ids found. */
export async function holdData(tx: Database, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await tx
    .select({ id: data.id })
    .from(data)
    .where(inArray(data.id, [...ids]))
    .for('key share');
  return new Set(rows.map(({ id }) => id));
}

/** Delete data, and their file unless other data use it. Returns the id of a run that has them as input instead, or null. */
export async function deleteData(tx: Database, { id, file }: StoredData): Promise<string | null> {
  // A run that is being accepted with the same data holds them until it is stored, and is then found below.
  await tx.select({ id: data.id }).from(data).where(eq(data.id, id)).for('update');
  const [run] = await tx.select({ id: runs.id }).from(runs).where(eq(runs.dataId, id)).limit(1);
  if (run !== undefined) return run.id;
  await tx.delete(data).where(eq(data.id, id));
  const isUnused = sql`NOT EXISTS (SELECT 1 FROM ${data} WHERE ${data.fileId} = ${file.id})`;
  await tx.delete(files).where(and(eq(files.id, file.id), isUnused));
  return null;
}
