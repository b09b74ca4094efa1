import { asc, eq } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { servedModels } from './serving-tables.ts';

/** A model that an owner has the servers serve. */
export interface ModelServing {
  /** By which requests choose it. */
  readonly name: string;
  /** `NAME.TYPE` in the data folder. */
  readonly model: string;
  readonly createdAt: Date;
}

/** The oldest first. */
export async function listServings(db: Database): Promise<readonly ModelServing[]> {
  return await db.select().from(servedModels).orderBy(asc(servedModels.createdAt), asc(servedModels.name));
}

/** False when another one has this name, in whatever case. */
export async function insertServing(db: Database, serving: ModelServing): Promise<boolean> {
  const rows = await db
    .insert(servedModels)
    .values(serving)
    .onConflictDoNothing()
    .returning({ name: servedModels.name });
  return rows.length > 0;
}

/** False when there is none. */
export async function deleteServing(db: Database, name: string): Promise<boolean> {
  const rows = await db.delete(servedModels).where(eq(servedModels.name, name)).returning({ name: servedModels.name });
  return rows.length > 0;
}
