/**
 * The runs table as queues: each pipeline has one, and one more for each need of its runs (`needOf`), so that a process claims none
 * that its engines cannot compute. A run without a lease waits; any process that takes its queue may claim it. Within a priority
 * the accounts take turns: the next run is one of the account that has the fewest runs under way, and of that account the oldest.
 * Among accounts with equally many, the oldest run is first.
 *
 * With affinity, runs whose prompts begin as one in the process's cache come before others of their account that arrived up to
 * `HEAD_START_SECONDS` earlier, and for `PREFIX_DELAY_MS` a new run is left to the living processes that have its beginning. Neither
 * changes the turns of the accounts, and both end with time: no run waits for a process for ever.
 */
import type { RunState } from '@gptj-cloud/protocol';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../store/db.ts';
import { returnedRows } from '../store/returned-rows.ts';
import { withoutSync } from '../store/without-sync.ts';
import { liveSince } from './nodes/node-store.ts';
import { type ClaimedRun, type Lease, leaseEnd } from './run-lease-store.ts';
import { runs } from './run-tables.ts';
import { MAX_SHARED_ATTEMPTS } from './run-tries.ts';

export interface Claim {
  readonly limit: number;
  readonly lease: Lease;
  readonly now: Date;
}

export interface FairClaim extends Claim {
  /** Runs of these queues alone (`queuesOf`); null: of any. */
  readonly queues: readonly string[] | null;
  /** 0 ≤ x < 1: the account that is looked at first, where very many have waiting runs. */
  readonly random: number;
  /** Runs go first to processes that have the beginnings of their prompts. Default: they do not. */
  readonly affinity?: ClaimAffinity;
}

export interface ClaimAffinity {
  /** Fewer runs were claimed than asked for: others may be left to other processes for up to `PREFIX_DELAY_MS`. */
  readonly onLeft: () => void;
}

/** A new run is left so long to processes that have the beginning of its prompt. */
export const PREFIX_DELAY_MS = 100;
/** A run whose beginning the process has counts as one that arrived so much earlier. */
const HEAD_START_SECONDS = 5;

/** Accounts that one claim compares, of each priority. */
const MAX_ACCOUNTS = 500;
/** A larger number of runs under way counts as this one. */
const MAX_COUNTED = 200;
/** Candidates beyond the limit, for those that another process claims at the same time. */
const SPARE = 16;

const isWaiting = sql.raw('ended_at IS NULL AND lease_owner IS NULL');
/** As the index has it. */
const queue = sql.raw("coalesce(pipeline_id || '#' || needs, pipeline_id)");

/** The queues of runs of some pipelines that need nothing, or one of the capabilities. */
export function queuesOf(pipelines: readonly string[], capabilities: readonly string[]): readonly string[] {
  return pipelines.flatMap((id) => [id, ...capabilities.map((capability) => `${id}#${capability}`)]);
}

/** What `queuesOf` joins. */
export function splitQueue(name: string): { readonly pipelineId: string; readonly capability: string | null } {
  const [pipelineId = '', capability = null] = name.split('#', 2);
  return { pipelineId, capability };
}

/** Lease up to `limit` runs, by priority, and within a priority in turns of the accounts. */
export async function claimRuns(db: Database, claim: FairClaim): Promise<readonly ClaimedRun[]> {
  if (!(await hasWaiting(db, claim.queues))) return [];
  const rows = await leaseRuns(db, claim, fairChoice(claim));
  if (rows.length < claim.limit) claim.affinity?.onLeft();
  return [...rows].sort((a, b) => b.priority - a.priority || a.createdAt.getTime() - b.createdAt.getTime());
}

/**
 * Planning a claim takes a millisecond: most looks of an idle process at the queue end here. Read from the end of the queue, where no
 * runs have left it.
 */
async function hasWaiting(db: Database, queues: readonly string[] | null): Promise<boolean> {
  const found = await db.execute(
    queues === null
      ? sql`SELECT 1 AS one FROM runs WHERE ${isWaiting} LIMIT 1`
      : sql`SELECT 1 AS one FROM unnest(${sql.param([...queues])}::text[]) AS q (id) CROSS JOIN LATERAL (
          SELECT 1 FROM runs WHERE ${isWaiting} AND ${queue} = q.id
          ORDER BY priority, account_id DESC, created_at DESC, id DESC LIMIT 1) f LIMIT 1`,
  );
  return returnedRows(found, z.object({ one: z.number() })).length > 0;
}

/** Lease those of the runs that wait. */
export async function claimRunsOf(db: Database, claim: Claim, ids: readonly string[]): Promise<readonly ClaimedRun[]> {
  const chosen = sql`SELECT id FROM runs WHERE id = ANY(${sql.param([...ids])}) AND ${isWaiting}
    ORDER BY priority DESC, created_at, id LIMIT ${claim.limit} FOR UPDATE SKIP LOCKED`;
  return await leaseRuns(db, claim, chosen);
}

/**
 * Selects and locks the next runs. Every step reads the index of waiting runs from one distinct value to the next (a loose
 * index scan), so that a hundred thousand waiting runs of an account cost as much as ten.
 *
 * Until the next vacuum the index has entries of runs that have left the queue, before those that wait. Each is passed once: the first
 * run that a step finds is where the next one begins (`first_account`, `first_at`).
 */
function fairChoice({ limit, queues, random, lease, affinity }: FairClaim): SQL {
  const listed = queues === null ? waitingQueues : sql`SELECT unnest(${sql.param([...queues])}::text[]) AS id`;
  // Ids of accounts are random: this is somewhere among them.
  const from = `user_${Math.floor(random * 0x1_0000)
    .toString(16)
    .padStart(4, '0')}`;
  return sql`
    WITH RECURSIVE queues AS (${listed}),
    levels AS (
      SELECT p.id AS queue, f.* FROM queues p CROSS JOIN LATERAL (
        SELECT priority, account_id AS first_account, created_at AS first_at FROM runs WHERE ${isWaiting} AND ${queue} = p.id
        ORDER BY priority DESC, account_id, created_at LIMIT 1) f
      UNION ALL
      SELECT l.queue, f.* FROM levels l CROSS JOIN LATERAL (
        SELECT priority, account_id, created_at FROM runs WHERE ${isWaiting} AND ${queue} = l.queue AND priority < l.priority
        ORDER BY priority DESC, account_id, created_at LIMIT 1) f
    ),
    ranges AS (
      SELECT queue, priority, greatest(${from}::text, first_account) AS first_account,
        CASE WHEN ${from}::text <= first_account THEN first_at ELSE '-infinity' END AS first_at, NULL::text AS past FROM levels
      UNION ALL SELECT queue, priority, first_account, first_at, ${from}::text FROM levels WHERE first_account < ${from}::text
    ),
    accounts AS (
      SELECT r.queue, r.priority, r.past, f.* FROM ranges r CROSS JOIN LATERAL (
        SELECT account_id, created_at AS first_at FROM runs WHERE ${isWaiting} AND ${queue} = r.queue AND priority = r.priority
          AND (account_id, created_at) >= (r.first_account, r.first_at) AND (r.past IS NULL OR account_id < r.past)
        ORDER BY account_id, created_at LIMIT 1) f
      UNION ALL
      SELECT a.queue, a.priority, a.past, f.* FROM accounts a CROSS JOIN LATERAL (
        SELECT account_id, created_at FROM runs WHERE ${isWaiting} AND ${queue} = a.queue AND priority = a.priority
          AND account_id > a.account_id AND (a.past IS NULL OR account_id < a.past) ORDER BY account_id, created_at LIMIT 1) f
    ),
    candidates AS MATERIALIZED (
      SELECT c.id, a.queue, a.priority, a.account_id, b.running, c.place + b.running AS turn, c.created_at
      FROM (SELECT * FROM accounts LIMIT ${MAX_ACCOUNTS}) a
      CROSS JOIN LATERAL (SELECT count(*) AS running FROM (
        SELECT 1 FROM runs WHERE lease_owner IS NOT NULL AND account_id = a.account_id LIMIT ${MAX_COUNTED}) u) b
      CROSS JOIN LATERAL (
        SELECT id, created_at, row_number() OVER (ORDER BY created_at, id) AS place FROM runs
        WHERE ${isWaiting} AND ${queue} = a.queue AND priority = a.priority AND account_id = a.account_id
          AND created_at >= a.first_at
        ORDER BY created_at, id LIMIT ${limit + SPARE}) c
      ORDER BY a.priority DESC, turn, c.created_at, c.id LIMIT ${limit + SPARE}
    )${affinity === undefined ? sql`` : preferHeld(lease.owner)}
    SELECT r.id FROM ${sql.raw(affinity === undefined ? 'candidates' : 'placed')} c JOIN runs r ON r.id = c.id WHERE r.ended_at IS NULL AND r.lease_owner IS NULL
    ORDER BY c.priority DESC, c.turn, c.created_at, c.id LIMIT ${limit} FOR UPDATE OF r SKIP LOCKED`;
}

/**
 * The candidates without those that are left to other processes, the ones that this process holds first. Looks at the few
 * candidates alone: the index of waiting runs, which finds them, has no hashes. `created_at` is that of the order.
 */
function preferHeld(owner: string): SQL {
  return sql`,
    held AS MATERIALIZED (
      SELECT c.*, q.prefix_hashes, q.prefix_hashes IS NOT NULL AND EXISTS (
        SELECT 1 FROM node_prefixes p WHERE p.hash = ANY(q.prefix_hashes) AND p.node_id = ${owner}) AS is_held
      FROM candidates c JOIN runs q ON q.id = c.id
    ),
    counted AS (
      SELECT h.id, h.queue, h.priority, h.account_id, h.running,
        h.created_at - CASE WHEN h.is_held THEN make_interval(secs => ${HEAD_START_SECONDS}) ELSE interval '0' END AS created_at
      FROM held h
      WHERE h.is_held OR h.prefix_hashes IS NULL OR h.created_at <= now() - make_interval(secs => ${PREFIX_DELAY_MS / 1000})
        OR NOT EXISTS (
          SELECT 1 FROM node_prefixes p JOIN nodes n ON n.id = p.node_id
          WHERE p.hash = ANY(h.prefix_hashes) AND n.beat_at > ${liveSince} AND NOT n.is_draining)
    ),
    placed AS MATERIALIZED (
      SELECT id, priority, created_at,
        running + row_number() OVER (PARTITION BY queue, priority, account_id ORDER BY created_at, id) AS turn
      FROM counted
    )`;
}

const waitingQueues = sql`(SELECT ${queue} AS id FROM runs WHERE ${isWaiting} ORDER BY ${queue} LIMIT 1)
  UNION ALL SELECT f.id FROM queues p CROSS JOIN LATERAL (
    SELECT ${queue} AS id FROM runs WHERE ${isWaiting} AND ${queue} > p.id ORDER BY ${queue} LIMIT 1) f`;

/** Queues that have runs. */
export async function findWaitingQueues(db: Database): Promise<readonly string[]> {
  const found = await db.execute(sql`WITH RECURSIVE queues AS (${waitingQueues}) SELECT id FROM queues`);
  return returnedRows(found, z.object({ id: z.string() })).map(({ id }) => id);
}

/** Pipelines that runs wait for. */
export async function findWaitingPipelines(db: Database): Promise<readonly string[]> {
  return [...new Set((await findWaitingQueues(db)).map((name) => splitQueue(name).pipelineId))];
}

/**
 * Not in a transaction with anything that must last: it is committed without a wait for the disk (`withoutSync`). A claim that a crash of
 * the database loses leaves its run in the queue, and the end that its owner then reports is refused, as that of any lost lease.
 */
async function leaseRuns(db: Database, { lease, now }: Claim, chosen: SQL): Promise<readonly ClaimedRun[]> {
  const state: RunState = 'running';
  return await db
    .update(runs)
    .set({
      state,
      startedAt: sql`greatest(${now.toISOString()}::timestamptz, ${runs.createdAt})`,
      attempts: sql`${runs.attempts} + 1`,
      // As `nextTries` does.
      ownDeaths: sql`${runs.ownDeaths} + CASE WHEN ${runs.attempts} >= ${MAX_SHARED_ATTEMPTS} OR ${runs.ownDeaths} > 0 THEN 1 ELSE 0 END`,
      leaseOwner: lease.owner,
      leaseExpiresAt: leaseEnd(lease),
      executedBy: lease.owner,
    })
    // An array is built once; a join might run the locking query again for every row.
    .where(sql`${runs.id} = ANY(ARRAY(${chosen}))`)
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
      committed: withoutSync,
    });
}
