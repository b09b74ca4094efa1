import { count, inArray } from 'drizzle-orm';
import type { ContentsPort, ProjectContents } from '../identity/projects/project-contents.ts';
import type { Database } from '../store/db.ts';
import { data, files, runs } from './run-tables.ts';

/** Count the runs and data of projects. */
async function countInProjects(
  db: Database,
  projectIds: readonly string[],
): Promise<ReadonlyMap<string, ProjectContents>> {
  const ids = [...projectIds];
  if (ids.length === 0) return new Map();
  const runCounts = await db
    .select({ id: runs.projectId, total: count(), ended: count(runs.endedAt) })
    .from(runs)
    .where(inArray(runs.projectId, ids))
    .groupBy(runs.projectId);
  const dataCounts = await db
    .select({ id: data.projectId, total: count() })
    .from(data)
    .where(inArray(data.projectId, ids))
    .groupBy(data.projectId);
  return new Map(
    ids.map((projectId) => {
      const { total, ended } = runCounts.find(({ id }) => id === projectId) ?? { total: 0, ended: 0 };
      const stored = dataCounts.find(({ id }) => id === projectId)?.total ?? 0;
      return [projectId, { runs: total, openRuns: total - ended, data: stored }];
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
