import { and, count, inArray, isNull, sql } from 'drizzle-orm';
import type { ContentsPort, ProjectContents } from '../identity/projects/project-contents.ts';
import { countData } from '../metering/storage/storage-store.ts';
import type { Database } from '../store/db.ts';
import { data, files, runSums, runs } from './run-tables.ts';

/** Count the runs and data of projects, from sums: a project may have many. */
async function countInProjects(
  db: Database,
  projectIds: readonly string[],
): Promise<ReadonlyMap<string, ProjectContents>> {
  const ids = [...projectIds];
  if (ids.length === 0) return new Map();
  const ended = await db
    .select({ id: runSums.projectId, total: sql`sum(${runSums.runs})`.mapWith(Number) })
    .from(runSums)
    .where(inArray(runSums.projectId, ids))
    .groupBy(runSums.projectId);
  const open = await db
    .select({ id: runs.projectId, total: count() })
    .from(runs)
    .where(and(inArray(runs.projectId, ids), isNull(runs.endedAt)))
    .groupBy(runs.projectId);
  const dataCounts = await countData(db, ids);
  return new Map(
    ids.map((projectId) => {
      const of = (counts: typeof open): number => counts.find(({ id }) => id === projectId)?.total ?? 0;
      return [projectId, { runs: of(ended) + of(open), openRuns: of(open), data: dataCounts.get(projectId) ?? 0 }];
    }),
  );
}

/** Delete the runs, data and files of projects. Runs refer to data and files, data to files. */
async function deleteInProjects(tx: Database, projectIds: readonly string[]): Promise<void> {
  const ids = [...projectIds];
  if (ids.length === 0) return;
  await tx.delete(runs).where(inArray(runs.projectId, ids));
  await tx.delete(data).where(inArray(data.projectId, ids));
  await tx.delete(files).where(inArray(files.projectId, ids));
}

/** The runs, data and files of projects, for identity to count and delete. */
export const RUN_CONTENTS: Pick<ContentsPort, 'countInProjects' | 'deleteInProjects'> = {
  countInProjects,
  deleteInProjects,
};
