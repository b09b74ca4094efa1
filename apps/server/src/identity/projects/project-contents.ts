import { count, inArray } from 'drizzle-orm';
import { data, runs } from '../../runs/run-tables.ts';
import type { Database } from '../../store/db.ts';

/** How much a project holds. */
export interface ProjectContents {
  readonly runs: number;
  readonly data: number;
}

/** What each of some projects holds. */
export async function countContents(
  db: Database,
  projectIds: readonly string[],
): Promise<ReadonlyMap<string, ProjectContents>> {
  const ids = [...projectIds];
  if (ids.length === 0) return new Map();
  const ofRuns = await db
    .select({ id: runs.projectId, total: count() })
    .from(runs)
    .where(inArray(runs.projectId, ids))
    .groupBy(runs.projectId);
  const ofData = await db
    .select({ id: data.projectId, total: count() })
    .from(data)
    .where(inArray(data.projectId, ids))
    .groupBy(data.projectId);
  const totals = (rows: readonly { readonly id: string; readonly total: number }[]): ReadonlyMap<string, number> =>
    new Map(rows.map(({ id, total }) => [id, total]));
  const [runTotals, dataTotals] = [totals(ofRuns), totals(ofData)];
  return new Map(ids.map((id) => [id, { runs: runTotals.get(id) ?? 0, data: dataTotals.get(id) ?? 0 }]));
}
