/**
 * Leases of runs. While a lease holds, only its owner may execute the run and store its end. It holds while its owner reports that it
 * is alive (`nodes`), and for its own time after the claim. All times of leases are the database's: clocks of processes differ.
 */
import type { RunState } from '@gptj-cloud/protocol';
import { and, count, eq, inArray, isNotNull, isNull, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { runs } from './run-tables.ts';
import { type RunTries, untried } from './run-tries.ts';

export interface Lease {
  readonly owner: string;
  /** How long the lease holds without a report of its owner. */
  readonly ms: number;
}

const milliseconds = (ms: number): SQL => sql`${ms} * interval '1 ms'`;

export function leaseEnd({ ms }: Lease): SQL {
  return sql`now() + ${milliseconds(ms)}`;
}

const NO_LEASE = { leaseOwner: null, leaseExpiresAt: null };

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

/** The runs that an owner has leases of, and those of them that it has had for longer than their time. */
export async function findLeased(
  db: Database,
  owner: string,
): Promise<readonly { readonly id: string; readonly isOld: boolean }[]> {
  return await db
    .select({ id: runs.id, isOld: sql<boolean>`${runs.leaseExpiresAt} < now()` })
    .from(runs)
    .where(eq(runs.leaseOwner, owner));
}

/** Give up leases: the runs wait again. The number of them. */
export async function releaseLeases(db: Database, owner: string, ids: readonly string[]): Promise<number> {
  const rows = await db
    .update(runs)
    .set(NO_LEASE)
    .where(and(eq(runs.leaseOwner, owner), inArray(runs.id, [...ids])))
    .returning({ id: runs.id });
  return rows.length;
}

/** Ask the process that executes a run to end it. False when the run waits: the caller may end it then. */
export async function requestCancel(db: Database, id: string, now: Date): Promise<boolean> {
  const rows = await db
    .update(runs)
    .set({ cancelRequestedAt: now })
    .where(and(eq(runs.id, id), isNull(runs.endedAt), isNotNull(runs.leaseOwner)))
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
      ...NO_LEASE,
      executedBy: null,
    })
    .where(and(eq(runs.id, id), eq(runs.leaseOwner, owner), isNull(runs.endedAt)));
}

/** End all leases of a store that no other process uses: their owners have ended. The number of leases. */
export async function endAllLeases(db: Database): Promise<number> {
  const rows = await db.update(runs).set(NO_LEASE).where(isNotNull(runs.leaseOwner)).returning({ id: runs.id });
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

/** Open runs of a pipeline, in all projects. */
export async function countOpenRunsOf(db: Database, pipelineId: string): Promise<number> {
  return await db.$count(runs, and(eq(runs.pipelineId, pipelineId), isNull(runs.endedAt)));
}

/** Those of the runs that have ended. */
export async function findEnded(db: Database, ids: readonly string[]): Promise<readonly string[]> {
  const rows = await db
    .select({ id: runs.id })
    .from(runs)
    .where(and(inArray(runs.id, [...ids]), isNotNull(runs.endedAt)));
  return rows.map(({ id }) => id);
}
