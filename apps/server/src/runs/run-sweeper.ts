import { and, isNotNull, lt, lte, notExists, sql } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import type { Logger } from '../telemetry/logger.ts';
import { data, files, runs } from './run-tables.ts';

export interface RunSweeperDeps {
  readonly db: Database;
  readonly logger: Logger;
  readonly clock: () => Date;
  /** Days that ended runs, their results, and data and files of no run are kept; 0: for ever. */
  readonly retentionDays: number;
  /** Default one hour. */
  readonly everyMs?: number;
}

export interface RunSweeper {
  /** Remove what is too old; how many runs that were. */
  sweep(): Promise<number>;
  /** Idempotent. */
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;
/** Rows removed by one statement: others must not wait long for it. */
const BATCH = 500;

/** Removes old runs, now and then, from the first `everyMs` on. Runs that have not ended are never removed. */
export function createRunSweeper(deps: RunSweeperDeps): RunSweeper {
  const { db, logger, clock, retentionDays } = deps;
  let closed = false;
  let sweeping: Promise<number> | null = null;
  const sweep = async (): Promise<number> => {
    if (retentionDays === 0) return 0;
    const horizon = new Date(clock().getTime() - retentionDays * DAY_MS);
    let removed = 0;
    for (let batch = BATCH; batch === BATCH && !closed; removed += batch) batch = await removeRuns(db, horizon);
    for (let batch = BATCH; batch === BATCH && !closed; ) batch = await removeData(db, horizon);
    for (let batch = BATCH; batch === BATCH && !closed; ) batch = await removeFiles(db, horizon);
    return removed;
  };
  const single = (): Promise<number> => {
    sweeping ??= sweep().finally(() => {
      sweeping = null;
    });
    return sweeping;
  };
  const timer = setInterval(() => {
    single().then(
      (removed) => {
        if (removed > 0) logger.info('old runs removed', { runs: removed });
      },
      (error: unknown) => logger.error('old runs could not be removed', { error }),
    );
  }, deps.everyMs ?? 3_600_000);
  timer.unref();
  return {
    sweep: single,
    async close() {
      closed = true;
      clearInterval(timer);
      await sweeping?.catch(() => undefined);
    },
  };
}

async function removeRuns(db: Database, horizon: Date): Promise<number> {
  const old = db
    .select({ id: runs.id })
    .from(runs)
    .where(and(isNotNull(runs.endedAt), lte(runs.endedAt, horizon)))
    .limit(BATCH);
  const removed = await db.delete(runs).where(sql`${runs.id} = ANY(ARRAY(${old}))`).returning({ id: runs.id });
  return removed.length;
}

/** Data that no run was made of, or none any more. */
async function removeData(db: Database, horizon: Date): Promise<number> {
  const old = db
    .select({ id: data.id })
    .from(data)
    .where(
      and(
        lt(data.createdAt, horizon),
        notExists(db.select({ one: sql`1` }).from(runs).where(sql`${runs.dataId} = ${data.id}`)),
      ),
    )
    .limit(BATCH);
  const removed = await db.delete(data).where(sql`${data.id} = ANY(ARRAY(${old}))`).returning({ id: data.id });
  return removed.length;
}

async function removeFiles(db: Database, horizon: Date): Promise<number> {
  const old = db
    .select({ id: files.id })
    .from(files)
    .where(
      and(
        lt(files.createdAt, horizon),
        notExists(db.select({ one: sql`1` }).from(data).where(sql`${data.fileId} = ${files.id}`)),
        notExists(db.select({ one: sql`1` }).from(runs).where(sql`${runs.resultFileId} = ${files.id}`)),
      ),
    )
    .limit(BATCH);
  const removed = await db.delete(files).where(sql`${files.id} = ANY(ARRAY(${old}))`).returning({ id: files.id });
  return removed.length;
}
