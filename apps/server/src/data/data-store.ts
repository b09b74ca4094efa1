import { isId } from '@gptj-cloud/protocol';
import { and, eq } from 'drizzle-orm';
import { fileColumns } from '../files/file-store.ts';
import type { Database } from '../store/db.ts';
import { data, files } from '../store/schema.ts';
import type { StoredData } from './data.ts';

export async function insertData(db: Database, projectId: string, row: StoredData): Promise<void> {
  await db.insert(data).values({ id: row.id, projectId, fileId: row.file.id, createdAt: row.createdAt });
}

/** Data of a project; those of others are as good as absent. */
export async function findData(
  db: Database,
  projectId: string,
  id: string,
  bytes: 'small' | 'all',
): Promise<StoredData | null> {
  if (!isId('data', id)) return null;
  const rows = await db
    .select({ id: data.id, createdAt: data.createdAt, file: fileColumns(files, bytes) })
    .from(data)
    .innerJoin(files, eq(files.id, data.fileId))
    .where(and(eq(data.id, id), eq(data.projectId, projectId)));
  return rows[0] ?? null;
}
