import { isId, type OrderBy, type RunState, runErrorSchema, runStateSchema } from '@gptj-cloud/protocol';
import { and, asc, count, desc, eq, isNull } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { NewFile } from '../files/file.ts';
import { fileColumns, insertFile } from '../files/file-store.ts';
import type { Database } from '../store/db.ts';
import { data, files, runs } from '../store/schema.ts';
import type { Run, RunFailure } from './run.ts';

/** What is known of a run when it is accepted. */
export interface NewRun {
  readonly id: string;
  readonly pipelineId: string;
  readonly dataId: string;
  readonly createdAt: Date;
  readonly resourceType: string;
  readonly minGpuVramMb: number | null;
}

export interface RunResult {
  readonly file: NewFile;
  readonly preview: string | null;
  readonly computeTimeMs: number;
  readonly endedAt: Date;
}

export type RunOrder = OrderBy<'created_at'>;

export async function insertRun(db: Database, run: NewRun): Promise<void> {
  const state: RunState = 'received';
  await db.insert(runs).values({ ...run, state });
}

export async function markRunning(db: Database, id: string, startedAt: Date): Promise<void> {
  const state: RunState = 'running';
  await db.update(runs).set({ state, startedAt }).where(unfinished(id));
}

/** Result file and final state appear together or not at all. */
export async function completeRun(db: Database, id: string, result: RunResult): Promise<void> {
  const state: RunState = 'complete';
  const { file, endedAt } = result;
  await db.transaction(async (tx) => {
    await insertFile(tx, file, endedAt);
    await tx
      .update(runs)
      .set({
        state,
        endedAt,
        resultFileId: file.id,
        resultPreview: result.preview,
        computeTimeMs: Math.round(result.computeTimeMs),
      })
      .where(unfinished(id));
  });
}

export async function failRun(db: Database, id: string, failure: RunFailure, endedAt: Date): Promise<void> {
  await db
    .update(runs)
    .set({ ...failureColumns(failure), endedAt })
    .where(unfinished(id));
}

/** End every run that has no end yet; how many there were. */
export async function failUnfinishedRuns(db: Database, failure: RunFailure, endedAt: Date): Promise<number> {
  const rows = await db
    .update(runs)
    .set({ ...failureColumns(failure), endedAt })
    .where(isNull(runs.endedAt))
    .returning({ id: runs.id });
  return rows.length;
}

export async function findRun(db: Database, id: string): Promise<Run | null> {
  if (!isId('run', id)) return null;
  const rows = await selectRuns(db).where(eq(runs.id, id));
  return rows[0] === undefined ? null : toRun(rows[0]);
}

export async function listRuns(
  db: Database,
  page: { readonly skip: number; readonly limit: number; readonly orderBy: RunOrder },
): Promise<{ readonly total: number; readonly runs: readonly Run[] }> {
  const direction = page.orderBy.direction === 'asc' ? asc : desc;
  const rows = await selectRuns(db)
    .orderBy(direction(runs.createdAt), direction(runs.id))
    .limit(page.limit)
    .offset(page.skip);
  const totals = await db.select({ total: count() }).from(runs);
  return { total: totals[0]?.total ?? 0, runs: rows.map(toRun) };
}

function unfinished(id: string) {
  return and(eq(runs.id, id), isNull(runs.endedAt));
}

function failureColumns(failure: RunFailure) {
  const state: RunState = 'failed';
  // PostgreSQL text cannot hold U+0000.
  const clean = (text: string): string => text.replaceAll('\0', '\ufffd');
  return {
    state,
    error: failure.error,
    errorException: clean(failure.exception),
    errorTraceback: clean(failure.traceback),
  };
}

function selectRuns(db: Database) {
  const input = alias(files, 'input_files');
  const result = alias(files, 'result_files');
  return db
    .select({
      run: runs,
      data: { id: data.id, createdAt: data.createdAt },
      input: fileColumns(input, 'small'),
      result: fileColumns(result, 'small'),
    })
    .from(runs)
    .innerJoin(data, eq(data.id, runs.dataId))
    .innerJoin(input, eq(input.id, data.fileId))
    .leftJoin(result, eq(result.id, runs.resultFileId));
}

type RunRow = Awaited<ReturnType<typeof selectRuns>>[number];

function toRun({ run, data: input, input: file, result }: RunRow): Run {
  return {
    id: run.id,
    pipelineId: run.pipelineId,
    data: { ...input, file },
    state: runStateSchema.parse(run.state),
    createdAt: run.createdAt,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    computeTimeMs: run.computeTimeMs,
    resourceType: run.resourceType,
    minGpuVramMb: run.minGpuVramMb,
    result: run.resultFileId === null ? null : result,
    resultPreview: run.resultPreview,
    failure:
      run.error === null
        ? null
        : {
            error: runErrorSchema.parse(run.error),
            exception: run.errorException ?? '',
            traceback: run.errorTraceback ?? '',
          },
  };
}
