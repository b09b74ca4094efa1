import type { Run } from '../runs/run.ts';
import { findRuns } from '../runs/run-store.ts';
import type { Database } from '../store/db.ts';

/** One run of a project, or null. */
export async function findRun(db: Database, projectId: string, id: string): Promise<Run | null> {
  const [run] = await findRuns(db, [{ projectId, id }]);
  return run ?? null;
}
