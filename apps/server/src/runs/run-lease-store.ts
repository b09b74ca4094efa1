/**
 * The runs table as a queue. While its lease lasts, only the lease's owner may execute a run; otherwise any process may
 * claim it: a waiting run has no lease, a run whose owner ended has an expired one.
 */
import type { RunState } from '@gptj-cloud/protocol';
import { and, asc, count, desc, eq, gt, inArray, isNotNull, isNull, lt, or, sql } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { runs } from './run-tables.ts';
import { MAX_SHARED_ATTEMPTS, type RunTries, untried } from './run-tries.ts';

export interface Lease {
  readonly owner: string;
  readonly expiresAt: Date;
}

/** A run with a lease, with the values that its execution needs. */
export interface ClaimedRun {
  readonly id: string;
  readonly projectId: string;
  readonly pipelineId: string;
  readonly dataId: string;
  readonly createdAt: Date;
  readonly startedAt: Date;
  readonly isAsync: boolean;
  /** A client reads its events, perhaps at another node. */
  readonly isStreamed: boolean;
  readonly priority: number;
  readonly admissionTicket: string | null;
  /** Including this execution. */
  readonly tries: RunTries;
  /** Its cancellation was requested while a process executed it that has ended since. */
  readonly cancelRequested: boolean;
}

/** Lease up to `limit` runs, by priority, then in order of arrival; only runs of `ids` unless that is null. */
export async function claimRuns(
  db: Database,
  claim: { readonly limit: number; readonly lease: Lease; readonly now: Date; readonly ids: readonly string[] | null },
): Promise<readonly ClaimedRun[]> {
  const { expiresAt } = claim.lease;
  // No lease of today ends so late: it was taken before the clock was set back, and its owner has not renewed it since.
  const farthest = new Date(expiresAt.getTime() + 2 * (expiresAt.getTime() - claim.now.getTime()));
  const free = db
    .select({ id: runs.id })
    .from(runs)
    .where(
      and(
        isNull(runs.endedAt),
        or(isNull(runs.leaseExpiresAt), lt(runs.leaseExpiresAt, claim.now), gt(runs.leaseExpiresAt, farthest)),
        claim.ids === null ? undefined : inArray(runs.id, [...claim.ids]),
      ),
    )
    .orderBy(desc(runs.priority), asc(runs.createdAt), asc(runs.id))
    .limit(claim.limit)
    .for('update', { skipLocked: true });
  const state: RunState = 'running';
  const claimed = await db
    .update(runs)
    .set({
      state,
      startedAt: sql`greatest(${claim.now.toISOString()}::timestamptz, ${runs.createdAt})`,
      attempts: sql`${runs.attempts} + 1`,
      // As `nextTries` does.
      ownDeaths: sql`${runs.ownDeaths} + CASE WHEN ${runs.attempts} >= ${MAX_SHARED_ATTEMPTS} OR ${runs.ownDeaths} > 0 THEN 1 ELSE 0 END`,
      leaseOwner: claim.lease.owner,
      leaseExpiresAt: claim.lease.expiresAt,
      executedBy: claim.lease.owner,
    })
    // An array is built once; a join might run the locking query again for every row.
    .where(sql`${runs.id} = ANY(ARRAY(${free}))`)
    .returning({
      id: runs.id,
      projectId: runs.projectId,
      pipelineId: runs.pipelineId,
      dataId: runs.dataId,
      createdAt: runs.createdAt,
      startedAt: sql<Date>`${runs.startedAt}`.mapWith(runs.startedAt),
      isAsync: runs.isAsync,
      isStreamed: runs.isStreamed,
      priority: runs.priority,
      admissionTicket: runs.admissionTicket,
      tries: { attempts: runs.attempts, ownDeaths: runs.ownDeaths },
      cancelRequested: sql<boolean>`${runs.cancelRequestedAt} IS NOT NULL`,
    });
  return claimed.sort((a, b) => b.priority - a.priority || a.createdAt.getTime() - b.createdAt.getTime());
}

/** Extend leases; the ids of the runs whose lease is still the owner's. */
export async function extendLeases(db: Database, ids: readonly string[], lease: Lease): Promise<ReadonlySet<string>> {
  const rows = await db
    .update(runs)
    .set({ leaseExpiresAt: lease.expiresAt })
    .where(and(inArray(runs.id, [...ids]), eq(runs.leaseOwner, lease.owner), isNull(runs.endedAt)))
    .returning({ id: runs.id });
  return new Set(rows.map(({ id }) => id));
}

/** Ask the process that executes a run to end it. False when no lease is valid: the caller may end it then. */
export async function requestCancel(db: Database, id: string, now: Date): Promise<boolean> {
  const rows = await db
    .update(runs)
    .set({ cancelRequestedAt: now })
    .where(and(eq(runs.id, id), isNull(runs.endedAt), gt(runs.leaseExpiresAt, now)))
    .returning({ id: runs.id });
  return rows.length > 0;
}

/** Those of the runs whose cancellation was requested. */
export async function findCancelRequests(db: Database, ids: readonly string[]): Promise<readonly string[]> {
  const rows = await db
    .select({ id: runs.id })
    .from(runs)
    .where(and(inArray(runs.id, [...ids]), isNotNull(runs.cancelRequestedAt), isNull(runs.endedAt)));
  return rows.map(({ id }) => id);
}

/** Count another execution by the owner of the lease. */
export async function countTry(db: Database, id: string, owner: string, tries: RunTries): Promise<void> {
  await db
    .update(runs)
    .set(tries)
    .where(and(eq(runs.id, id), eq(runs.leaseOwner, owner)));
}

/** Return a run to the queue without counting this execution. */
export async function putBack(db: Database, id: string, owner: string, tries: RunTries): Promise<void> {
  const state: RunState = 'received';
  await db
    .update(runs)
    .set({
      state,
      startedAt: null,
      ...untried(tries),
      leaseOwner: null,
      leaseExpiresAt: null,
      executedBy: null,
    })
    .where(and(eq(runs.id, id), eq(runs.leaseOwner, owner), isNull(runs.endedAt)));
}

/** End all leases of a store that no other process uses: their owners have ended. The number of leases. */
export async function endAllLeases(db: Database): Promise<number> {
  const rows = await db
    .update(runs)
    .set({ leaseOwner: null, leaseExpiresAt: null })
    .where(isNotNull(runs.leaseOwner))
    .returning({ id: runs.id });
  return rows.length;
}

/** The number of runs that have not ended, of all processes. */
export async function countOpenRuns(db: Database): Promise<number> {
  const rows = await db.select({ total: count() }).from(runs).where(isNull(runs.endedAt));
  return rows[0]?.total ?? 0;
}

/** The same, by state. */
export async function countOpenRunsByState(db: Database): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .select({ state: runs.state, total: count() })
    .from(runs)
    .where(isNull(runs.endedAt))
    .groupBy(runs.state);
  return new Map(rows.map(({ state, total }) => [state, total]));
}

/** Those of the runs that have ended. */
export async function findEnded(db: Database, ids: readonly string[]): Promise<readonly string[]> {
  const rows = await db
    .select({ id: runs.id })
    .from(runs)
    .where(and(inArray(runs.id, [...ids]), isNotNull(runs.endedAt)));
  return rows.map(({ id }) => id);
}
