/** Deletes expired runs, data and files in batches, so that one statement does not block others for long. */
import { and, isNotNull, lt, lte, notExists, sql } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { data, files, runs } from './run-tables.ts';

/** Removes up to `limit` rows that are older than `horizon`; the number removed. */
export type RemoveOld = (db: Database, horizon: Date, limit: number) => Promise<number>;

/** Runs that ended at `horizon` or earlier. */
export const removeOldRuns: RemoveOld = async (db, horizon, limit) => {
  const old = db
    .select({ id: runs.id })
    .from(runs)
    .where(and(isNotNull(runs.endedAt), lte(runs.endedAt, horizon)))
    .limit(limit);
  const removed = await db.delete(runs).where(sql`${runs.id} = ANY(ARRAY(${old}))`).returning({ id: runs.id });
  return removed.length;
};

/** Data that are the input of no run. */
export const removeOldData: RemoveOld = async (db, horizon, limit) => {
  const ofRun = db.select({ one: sql`1` }).from(runs).where(sql`${runs.dataId} = ${data.id}`);
  const old = db
    .select({ id: data.id })
    .from(data)
    .where(and(lt(data.createdAt, horizon), notExists(ofRun)))
    .limit(limit);
  const removed = await db.delete(data).where(sql`${data.id} = ANY(ARRAY(${old}))`).returning({ id: data.id });
  return removed.length;
};

/** Files that are neither data nor the result of a run. */
export const removeOldFiles: RemoveOld = async (db, horizon, limit) => {
  const ofData = db.select({ one: sql`1` }).from(data).where(sql`${data.fileId} = ${files.id}`);
  const ofResult = db.select({ one: sql`1` }).from(runs).where(sql`${runs.resultFileId} = ${files.id}`);
  const old = db
    .select({ id: files.id })
    .from(files)
    .where(and(lt(files.createdAt, horizon), notExists(ofData), notExists(ofResult)))
    .limit(limit);
  const removed = await db.delete(files).where(sql`${files.id} = ANY(ARRAY(${old}))`).returning({ id: files.id });
  return removed.length;
};
