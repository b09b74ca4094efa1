import { and, asc, count, eq, inArray, ne } from 'drizzle-orm';
import { subscriptions } from '../../metering/billing/billing-tables.ts';
import { data, files, runs } from '../../runs/run-tables.ts';
import type { Database } from '../../store/db.ts';
import { projectMembers, projects } from '../identity-tables.ts';

/** What goes with an account. */
export interface AccountContents {
  readonly projectIds: readonly string[];
  /** Names of the projects that have other members, too. */
  readonly shared: readonly string[];
  readonly runs: number;
  readonly openRuns: number;
  /** Whether a payment provider takes money for it. */
  readonly subscribed: boolean;
}

/** Look at what would go with an account, and let nothing be added to its projects until the transaction ends. */
export async function takeContents(tx: Database, userId: string): Promise<AccountContents> {
  const owned = await tx
    .select({ id: projects.id, name: projects.name })
    .from(projects)
    .where(eq(projects.ownerId, userId))
    .orderBy(asc(projects.id))
    .for('update');
  const projectIds = owned.map(({ id }) => id);
  const others = await tx
    .selectDistinct({ id: projectMembers.projectId })
    .from(projectMembers)
    .where(and(inArray(projectMembers.projectId, projectIds), ne(projectMembers.userId, userId)));
  const held = await tx
    .select({ total: count(), ended: count(runs.endedAt) })
    .from(runs)
    .where(inArray(runs.projectId, projectIds));
  const { total, ended } = held[0] ?? { total: 0, ended: 0 };
  const paid = await tx
    .select({ id: subscriptions.subscriptionId })
    .from(subscriptions)
    .where(and(eq(subscriptions.userId, userId), eq(subscriptions.status, 'active')))
    .limit(1);
  return {
    projectIds,
    shared: owned.filter(({ id }) => others.some((other) => other.id === id)).map(({ name }) => name),
    runs: total,
    openRuns: total - ended,
    subscribed: paid.length > 0,
  };
}

/** Delete projects with all they hold. Meters and the audit log stay. */
export async function deleteProjects(tx: Database, projectIds: readonly string[]): Promise<void> {
  // Runs refer to data and files, data to files.
  await tx.delete(runs).where(inArray(runs.projectId, projectIds));
  await tx.delete(data).where(inArray(data.projectId, projectIds));
  await tx.delete(files).where(inArray(files.projectId, projectIds));
  await tx.delete(projects).where(inArray(projects.id, projectIds));
}
