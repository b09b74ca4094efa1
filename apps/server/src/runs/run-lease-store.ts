/**
 * The runs table as a queue. A run that has not ended is somebody's while its lease lasts, and anybody's otherwise:
 * one that waits has no lease, one whose owner died has an old one.
 */
import type { RunState } from '@gptj-cloud/protocol';
import { and, asc, count, desc, eq, gt, inArray, isNotNull, isNull, lt, or, sql } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { runs } from './run-tables.ts';

export interface Lease {
  readonly owner: string;
  readonly expiresAt: Date;
}

/** A run with a lease, and what executing it takes. */
export interface ClaimedRun {
  readonly id: string;
  readonly projectId: string;
  readonly pipelineId: string;
  readonly dataId: string;
  readonly createdAt: Date;
  readonly startedAt: Date;
  readonly isAsync: boolean;
  readonly priority: number;
  readonly admissionTicket: string | null;
  /** Executions begun, this one included. */
  readonly attempts: number;
  /** Its end was asked for while somebody executed it who has died since. */
  readonly cancelRequested: boolean;
}

/**
 * Take up to `limit` runs, those of higher priority first, then in order of arrival; only of `ids` where they are given.
 */
export async function claimRuns(
  db: Database,
  claim: { readonly limit: number; readonly lease: Lease; readonly now: Date; readonly ids: readonly string[] | null },
): Promise<readonly ClaimedRun[]> {
  const free = db
    .select({ id: runs.id })
    .from(runs)
    .where(
      and(
        isNull(runs.endedAt),
        or(isNull(runs.leaseExpiresAt), lt(runs.leaseExpiresAt, claim.now)),
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
      startedAt: claim.now,
      attempts: sql`${runs.attempts} + 1`,
      leaseOwner: claim.lease.owner,
      leaseExpiresAt: claim.lease.expiresAt,
    })
    // An array is made once; a join might ask the locking query again for every row.
    .where(sql`${runs.id} = ANY(ARRAY(${free}))`)
    .returning({
      id: runs.id,
      projectId: runs.projectId,
      pipelineId: runs.pipelineId,
      dataId: runs.dataId,
      createdAt: runs.createdAt,
      startedAt: sql<Date>`${runs.startedAt}`.mapWith(runs.startedAt),
      isAsync: runs.isAsync,
      priority: runs.priority,
      admissionTicket: runs.admissionTicket,
      attempts: runs.attempts,
      cancelRequested: sql<boolean>`${runs.cancelRequestedAt} IS NOT NULL`,
    });
  return claimed.sort((a, b) => b.priority - a.priority || a.createdAt.getTime() - b.createdAt.getTime());
}

/** Keep runs for longer; the ids that are still the owner's. */
export async function extendLeases(db: Database, ids: readonly string[], lease: Lease): Promise<ReadonlySet<string>> {
  const rows = await db
    .update(runs)
    .set({ leaseExpiresAt: lease.expiresAt })
    .where(and(inArray(runs.id, [...ids]), eq(runs.leaseOwner, lease.owner), isNull(runs.endedAt)))
    .returning({ id: runs.id });
  return new Set(rows.map(({ id }) => id));
}

/** Ask whoever executes a run to end it. False when nobody does who is alive: the asker may end it then. */
export async function requestCancel(db: Database, id: string, now: Date): Promise<boolean> {
  const rows = await db
    .update(runs)
    .set({ cancelRequestedAt: now })
    .where(and(eq(runs.id, id), isNull(runs.endedAt), gt(runs.leaseExpiresAt, now)))
    .returning({ id: runs.id });
  return rows.length > 0;
}

/** Of these runs, those whose end was asked for. */
export async function findCancelRequests(db: Database, ids: readonly string[]): Promise<readonly string[]> {
  const rows = await db
    .select({ id: runs.id })
    .from(runs)
    .where(and(inArray(runs.id, [...ids]), isNotNull(runs.cancelRequestedAt), isNull(runs.endedAt)));
  return rows.map(({ id }) => id);
}

/** Note that the owner begins a run once more. */
export async function countAttempt(db: Database, id: string, owner: string): Promise<void> {
  await db
    .update(runs)
    .set({ attempts: sql`${runs.attempts} + 1` })
    .where(and(eq(runs.id, id), eq(runs.leaseOwner, owner)));
}

/** Put a run back among those that wait, as if this execution had never begun. */
export async function putBack(db: Database, id: string, owner: string): Promise<void> {
  const state: RunState = 'received';
  await db
    .update(runs)
    .set({
      state,
      startedAt: null,
      attempts: sql`greatest(${runs.attempts} - 1, 0)`,
      leaseOwner: null,
      leaseExpiresAt: null,
    })
    .where(and(eq(runs.id, id), eq(runs.leaseOwner, owner), isNull(runs.endedAt)));
}

/** For a store that no other process uses: whoever had leases is dead. How many there were. */
export async function endAllLeases(db: Database): Promise<number> {
  const rows = await db
    .update(runs)
    .set({ leaseOwner: null, leaseExpiresAt: null })
    .where(isNotNull(runs.leaseOwner))
    .returning({ id: runs.id });
  return rows.length;
}

/** Runs that have not ended, whoever accepted them. */
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

/** Of these runs, those that have ended. */
export async function findEnded(db: Database, ids: readonly string[]): Promise<readonly string[]> {
  const rows = await db
    .select({ id: runs.id })
    .from(runs)
    .where(and(inArray(runs.id, [...ids]), isNotNull(runs.endedAt)));
  return rows.map(({ id }) => id);
}
