import { eq, sql } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { runs } from '../run-tables.ts';

/** Count readers of a run at a server that did not accept it: 1 comes, -1 leaves. */
export async function countFollower(db: Database, id: string, change: 1 | -1): Promise<void> {
  await db
    .update(runs)
    .set({ followers: sql`${runs.followers} + ${change}` })
    .where(eq(runs.id, id));
}

/** Whether a run has readers at servers that did not accept it. */
export async function isFollowedElsewhere(db: Database, id: string): Promise<boolean> {
  const [row] = await db.select({ followers: runs.followers }).from(runs).where(eq(runs.id, id));
  return (row?.followers ?? 0) > 0;
}
