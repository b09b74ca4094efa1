import { isId, type OrderBy, type RunState, runErrorSchema, runStateSchema } from '@gptj-cloud/protocol';
import { and, asc, count, desc, eq, isNull, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { NewFile } from '../files/file.ts';
import { fileColumns, insertFile } from '../files/file-store.ts';
import type { Database } from '../store/db.ts';
import { data, files, runs } from '../store/schema.ts';
import type { Run, RunFailure } from './run.ts';
import type { Lease } from './run-leases.ts';

/** What is known of a run when it is accepted. */
export interface NewRun {
  readonly id: string;
  readonly projectId: string;
  readonly apiKeyId: string | null;
  readonly pipelineId: string;
  readonly dataId: string;
  readonly createdAt: Date;
  readonly resourceType: string;
  readonly minGpuVramMb: number | null;
  readonly isAsync: boolean;
  readonly priority: number;
  readonly admissionTicket: string;
  readonly idempotencyKey: string | null;
  readonly requestHash: string | null;
  /** Given when its execution begins at once. */
  readonly lease: Lease | null;
}

export interface RunResult {
  readonly file: NewFile;
  readonly preview: string | null;
  readonly computeTimeMs: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly cachedTokens: number;
  readonly seed: number | null;
  readonly warnings: readonly string[];
  readonly finishReasons: readonly string[];
}

/** Who may end a run: the owner of its lease, or anybody. */
export interface RunEnder {
  readonly runId: string;
  readonly projectId: string;
  /** Null: whoever has its lease. */
  readonly owner: string | null;
  readonly endedAt: Date;
}

export type RunOrder = OrderBy<'created_at'>;

export interface RunFilter {
  readonly projectId: string;
  readonly pipelineId: string | null;
  readonly state: RunState | null;
}

export interface RunPageQuery {
  readonly skip: number;
  readonly limit: number;
  readonly orderBy: RunOrder;
}

/** False when the project has a run under this idempotency key already; nothing was stored then. */
export async function insertRun(db: Database, { lease, ...run }: NewRun): Promise<boolean> {
  const state: RunState = lease === null ? 'received' : 'running';
  const started =
    lease === null
      ? {}
      : { startedAt: run.createdAt, attempts: 1, leaseOwner: lease.owner, leaseExpiresAt: lease.expiresAt };
  const rows = await db
    .insert(runs)
    .values({ ...run, state, ...started })
    .onConflictDoNothing()
    .returning({ id: runs.id });
  return rows.length > 0;
}

/**
 * Store a result and the end of its run; false when the run is no longer the ender's to end. Call it in a transaction,
 * and roll back on false.
 */
export async function completeRun(db: Database, ender: RunEnder, result: RunResult): Promise<boolean> {
  const state: RunState = 'complete';
  await insertFile(db, ender.projectId, result.file, ender.endedAt);
  return await end(db, ender, {
    state,
    resultFileId: result.file.id,
    resultPreview: result.preview,
    computeTimeMs: Math.round(result.computeTimeMs),
    promptTokens: result.promptTokens,
    generatedTokens: result.generatedTokens,
    cachedTokens: result.cachedTokens,
    seed: result.seed,
    warnings: result.warnings.length === 0 ? null : JSON.stringify(result.warnings),
    finishReasons: JSON.stringify(result.finishReasons),
  });
}

/** False when the run is no longer the ender's to end. */
export async function failRun(db: Database, ender: RunEnder, failure: RunFailure): Promise<boolean> {
  const state: RunState = 'failed';
  // PostgreSQL text cannot hold U+0000.
  const clean = (text: string): string => text.replaceAll('\0', '\ufffd');
  return await end(db, ender, {
    state,
    error: failure.error,
    errorException: clean(failure.exception),
    errorTraceback: clean(failure.traceback),
  });
}

async function end(
  db: Database,
  { runId, projectId, owner, endedAt }: RunEnder,
  values: Partial<typeof runs.$inferInsert>,
): Promise<boolean> {
  const mine = owner === null ? undefined : eq(runs.leaseOwner, owner);
  const rows = await db
    .update(runs)
    .set({ ...values, endedAt, leaseOwner: null, leaseExpiresAt: null })
    .where(and(eq(runs.id, runId), eq(runs.projectId, projectId), isNull(runs.endedAt), mine))
    .returning({ id: runs.id });
  return rows.length > 0;
}

/** A run of a project; those of others are as good as absent. */
export async function findRun(db: Database, projectId: string, id: string): Promise<Run | null> {
  if (!isId('run', id)) return null;
  const rows = await selectRuns(db).where(and(eq(runs.id, id), eq(runs.projectId, projectId)));
  return rows[0] === undefined ? null : toRun(rows[0]);
}

/** The run that a project made under an idempotency key. */
export async function findRunByKey(
  db: Database,
  projectId: string,
  key: string,
): Promise<{ readonly id: string; readonly requestHash: string | null; readonly isAsync: boolean } | null> {
  const rows = await db
    .select({ id: runs.id, requestHash: runs.requestHash, isAsync: runs.isAsync })
    .from(runs)
    .where(and(eq(runs.projectId, projectId), eq(runs.idempotencyKey, key)));
  return rows[0] ?? null;
}

export async function listRuns(
  db: Database,
  filter: RunFilter,
  page: RunPageQuery,
): Promise<{ readonly total: number; readonly runs: readonly Run[] }> {
  const wanted: SQL | undefined = and(
    eq(runs.projectId, filter.projectId),
    filter.pipelineId === null ? undefined : eq(runs.pipelineId, filter.pipelineId),
    filter.state === null ? undefined : eq(runs.state, filter.state),
  );
  const direction = page.orderBy.direction === 'asc' ? asc : desc;
  const rows = await selectRuns(db)
    .where(wanted)
    .orderBy(direction(runs.createdAt), direction(runs.id))
    .limit(page.limit)
    .offset(page.skip);
  const totals = await db.select({ total: count() }).from(runs).where(wanted);
  return { total: totals[0]?.total ?? 0, runs: rows.map(toRun) };
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
    projectId: run.projectId,
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
    usage:
      run.promptTokens === null || run.generatedTokens === null || run.cachedTokens === null
        ? null
        : {
            prompt_tokens: run.promptTokens,
            generated_tokens: run.generatedTokens,
            cached_tokens: run.cachedTokens,
          },
    admissionTicket: run.admissionTicket,
    isAsync: run.isAsync,
    seed: run.seed,
    warnings: run.warnings,
    finishReasons: run.finishReasons,
  };
}

/** Remove an ended run, its result, and its data unless another run was made of them. Call it in a transaction. */
export async function deleteRun(tx: Database, run: Run): Promise<void> {
  await tx.delete(runs).where(and(eq(runs.id, run.id), eq(runs.projectId, run.projectId)));
  if (run.result !== null) await tx.delete(files).where(eq(files.id, run.result.id));
  const unused = sql`NOT EXISTS (SELECT 1 FROM ${runs} WHERE ${runs.dataId} = ${run.data.id})`;
  const dropped = await tx
    .delete(data)
    .where(and(eq(data.id, run.data.id), unused))
    .returning({ fileId: data.fileId });
  for (const { fileId } of dropped) {
    const alone = sql`NOT EXISTS (SELECT 1 FROM ${data} WHERE ${data.fileId} = ${fileId})`;
    await tx.delete(files).where(and(eq(files.id, fileId), alone));
  }
}
