import { inArray, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../../store/db.ts';
import { returnedRows } from '../../store/returned-rows.ts';
import { projectStorage } from './storage-tables.ts';

/** Stored bytes, and stored files, data and runs. */
export interface StoredAmount {
  readonly bytes: number;
  readonly items: number;
}

/** What one project stores. */
export interface ProjectStorage extends StoredAmount {
  readonly projectId: string;
  /** The owner of the project, who pays for it. */
  readonly accountId: string;
}

const rowSchema = z.object({
  projectId: z.string(),
  accountId: z.string(),
  bytes: z.coerce.number(),
  items: z.coerce.number(),
});

/**
 * What the accounts of projects store, project by project. With `lock`, their counts cannot change until the transaction
 * ends; rows are locked in the order of their ids, as the triggers that count lock them.
 */
export async function findStorage(
  db: Database,
  projectIds: readonly string[],
  { lock }: { readonly lock: boolean },
): Promise<readonly ProjectStorage[]> {
  const rows = await db.execute(sql`
    SELECT ${projectStorage.projectId} AS "projectId", p.owner_id AS "accountId", bytes, items
    FROM ${projectStorage} JOIN projects p ON p.id = ${projectStorage.projectId}
    WHERE p.owner_id IN (SELECT owner_id FROM projects WHERE id = ANY(${sql.param([...projectIds])}))
    ORDER BY ${projectStorage.projectId} ${lock ? sql`FOR UPDATE OF ${projectStorage}` : sql``}`);
  return returnedRows(rows, rowSchema);
}

/** The number of data of each project that exists. */
export async function countData(db: Database, projectIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .select({ id: projectStorage.projectId, total: projectStorage.data })
    .from(projectStorage)
    .where(inArray(projectStorage.projectId, [...projectIds]));
  return new Map(rows.map(({ id, total }) => [id, total]));
}
