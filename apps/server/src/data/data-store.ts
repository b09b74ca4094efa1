import { isId } from '@gptj-cloud/protocol';
import { eq } from 'drizzle-orm';
import { fileColumns } from '../files/file-store.ts';
import type { Database } from '../store/db.ts';
import { data, files } from '../store/schema.ts';
import type { StoredData } from './data.ts';

export async function insertData(db: Database, row: StoredData): Promise<void> {
  await db.insert(data).values({ id: row.id, fileId: row.file.id, createdAt: row.createdAt });
}

export async function findData(db: Database, id: string, bytes: 'small' | 'all'): Promise<StoredData | null> {
  if (!isId('data', id)) return null;
  const rows = await db
    .select({ id: data.id, createdAt: data.createdAt, file: fileColumns(files, bytes) })
    .from(data)
    .innerJoin(files, eq(files.id, data.fileId))
    .where(eq(data.id, id));
  return rows[0] ?? null;
}
