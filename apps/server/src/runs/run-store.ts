import { isId, type OrderBy, type RunState, runErrorSchema, runStateSchema } from '@gptj-cloud/protocol';
import { and, asc, count, desc, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import type { GenerationCost } from '../metering/usage/admission.ts';
import type { Database } from '../store/db.ts';
import { returnedRows } from '../store/returned-rows.ts';
import { type NewFile, withSmallBytes } from './files/file.ts';
import { fileColumns, insertFiles } from './files/file-store.ts';
import type { Run, RunFailure } from './run.ts';
import type { Lease } from './run-lease-store.ts';
import { data, files, runs } from './run-tables.ts';

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

export interface RunEnding {
  readonly ender: RunEnder;
  /** What is charged for it; null: nothing. */
  readonly cost: GenerationCost | null;
  readonly end: { readonly result: RunResult } | { readonly failure: RunFailure };
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

/**
 * Store runs whose data is stored. The ids of those that were: not one whose project has a run under its idempotency
 * key already.
 */
export async function insertRuns(db: Database, rows: readonly NewRun[]): Promise<ReadonlySet<string>> {
  const items = rows.map(({ lease, ...run }) => {
    const state: RunState = lease === null ? 'received' : 'running';
    const begun = lease && { startedAt: run.createdAt, leaseOwner: lease.owner, leaseExpiresAt: lease.expiresAt };
    return { ...run, ...begun, state, attempts: lease === null ? 0 : 1 };
  });
  const stored = await db.execute(sql`
    INSERT INTO runs (id, project_id, api_key_id, pipeline_id, data_id, created_at, resource_type, min_gpu_vram_mb,
      is_async, priority, admission_ticket, idempotency_key, request_hash, state, attempts, started_at, lease_owner,
      lease_expires_at)
    SELECT id, "projectId", "apiKeyId", "pipelineId", "dataId", "createdAt", "resourceType", "minGpuVramMb",
      "isAsync", priority, "admissionTicket", "idempotencyKey", "requestHash", state, attempts, "startedAt", "leaseOwner",
      "leaseExpiresAt"
    FROM jsonb_to_recordset(${JSON.stringify(items)}::text::jsonb) AS e (
      id text, "projectId" text, "apiKeyId" text, "pipelineId" text, "dataId" text, "createdAt" timestamptz,
      "resourceType" text, "minGpuVramMb" integer, "isAsync" boolean, priority integer, "admissionTicket" text,
      "idempotencyKey" text, "requestHash" text, state text, attempts integer, "startedAt" timestamptz,
      "leaseOwner" text, "leaseExpiresAt" timestamptz)
    ON CONFLICT DO NOTHING
    RETURNING id`);
  return new Set(returnedRows(stored, z.object({ id: z.string() })).map(({ id }) => id));
}

/**
 * Store ends of runs, with their results, in a transaction. For each whether it was stored: not when the run was no
 * longer the ender's to end. One statement for the runs, however many they are.
 */
export async function endRuns(tx: Database, endings: readonly RunEnding[]): Promise<readonly boolean[]> {
  await insertFiles(
    tx,
    endings.flatMap(({ ender, end }) =>
      'result' in end ? [{ projectId: ender.projectId, file: end.result.file, createdAt: ender.endedAt }] : [],
    ),
  );
  const items = endings.map(({ ender, end, cost }, index) => ({
    ...ender,
    index,
    endedAt: ender.endedAt.toISOString(),
    ...('result' in end ? completeColumns(end.result) : failedColumns(end.failure, cost)),
  }));
  const given = (name: string): SQL => sql.raw(`e."${name}"`);
  const rows = await tx
    .update(runs)
    .set({
      state: given('state'),
      endedAt: given('endedAt'),
      leaseOwner: null,
      leaseExpiresAt: null,
      resultFileId: given('resultFileId'),
      resultPreview: given('resultPreview'),
      computeTimeMs: given('computeTimeMs'),
      promptTokens: given('promptTokens'),
      generatedTokens: given('generatedTokens'),
      cachedTokens: given('cachedTokens'),
      seed: given('seed'),
      warnings: given('warnings'),
      finishReasons: given('finishReasons'),
      error: given('error'),
      errorException: given('errorException'),
      errorTraceback: given('errorTraceback'),
    })
    .from(
      sql`jsonb_to_recordset(${JSON.stringify(items)}::text::jsonb) AS e (
        index integer, "runId" text, "projectId" text, owner text, "endedAt" timestamptz, state text,
        "resultFileId" text, "resultPreview" text, "computeTimeMs" integer, "promptTokens" integer,
        "generatedTokens" integer, "cachedTokens" integer, seed bigint, warnings text, "finishReasons" text,
        error text, "errorException" text, "errorTraceback" text)`,
    )
    .where(
      sql`${runs.id} = e."runId" AND ${runs.projectId} = e."projectId" AND ${runs.endedAt} IS NULL
        AND (e.owner IS NULL OR ${runs.leaseOwner} = e.owner)`,
    )
    .returning({ index: sql<unknown>`e.index`.mapWith(Number) });
  const ended = new Set(rows.map(({ index }) => Number(index)));
  const unused = endings.flatMap(({ end }, i) => (ended.has(i) || !('result' in end) ? [] : [end.result.file.id]));
  if (unused.length > 0) await tx.delete(files).where(inArray(files.id, unused));
  return endings.map((_, i) => ended.has(i));
}

/** A run as it is stored once its end is. */
export function toEnded(run: Run, { ender, end, cost }: RunEnding): Run {
  const ended = { ...run, endedAt: ender.endedAt };
  if ('failure' in end) {
    const columns = failedColumns(end.failure, cost);
    const { state, error, errorException: exception, errorTraceback: traceback, computeTimeMs } = columns;
    return { ...ended, state, failure: { error, exception, traceback }, computeTimeMs, usage: usageOf(columns) };
  }
  const columns = completeColumns(end.result);
  return {
    ...ended,
    state: columns.state,
    result: withSmallBytes(end.result.file),
    resultPreview: columns.resultPreview,
    computeTimeMs: columns.computeTimeMs,
    usage: usageOf(columns),
    seed: columns.seed,
    warnings: columns.warnings,
    finishReasons: columns.finishReasons,
  };
}

function completeColumns(result: RunResult) {
  const state: RunState = 'complete';
  return {
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
  };
}

function failedColumns(failure: RunFailure, cost: GenerationCost | null) {
  const state: RunState = 'failed';
  // PostgreSQL text can hold neither U+0000 nor half of a surrogate pair.
  const clean = (text: string): string => text.replaceAll('\0', '\ufffd').replaceAll(/\p{Surrogate}/gu, '\ufffd');
  return {
    state,
    error: failure.error,
    errorException: clean(failure.exception),
    errorTraceback: clean(failure.traceback),
    ...(cost === null ? NO_COST : costColumns(cost)),
  };
}

/** Of a run that was cancelled midway, so that what is charged can be seen there. */
function costColumns({ computeMs, promptTokens, generatedTokens, cachedTokens = 0 }: GenerationCost) {
  return { computeTimeMs: Math.round(computeMs), promptTokens, generatedTokens, cachedTokens };
}

const NO_COST = { computeTimeMs: null, promptTokens: null, generatedTokens: null, cachedTokens: null };

function usageOf(columns: {
  readonly promptTokens: number | null;
  readonly generatedTokens: number | null;
  readonly cachedTokens: number | null;
}): Run['usage'] {
  const { promptTokens, generatedTokens, cachedTokens } = columns;
  if (promptTokens === null || generatedTokens === null || cachedTokens === null) return null;
  return { prompt_tokens: promptTokens, generated_tokens: generatedTokens, cached_tokens: cachedTokens };
}

/** Runs of projects: for each pair the run, or null when there is none or it belongs to another project. */
export async function findRuns(
  db: Database,
  wanted: readonly { readonly projectId: string; readonly id: string }[],
): Promise<readonly (Run | null)[]> {
  // Nothing but an id reaches the query: PostgreSQL fails on text with U+0000.
  const ids = [...new Set(wanted.map(({ id }) => id))].filter((id) => isId('run', id));
  if (ids.length === 0) return wanted.map(() => null);
  // One parameter: the statement is the same for any number of them, and its plan is kept.
  const rows = await selectRuns(db).where(sql`${runs.id} = ANY(${sql.param(ids)})`);
  const found = new Map(rows.map((row) => [row.run.id, toRun(row)]));
  return wanted.map(({ projectId, id }) => {
    const run = found.get(id);
    return run?.projectId === projectId ? run : null;
  });
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
    usage: usageOf(run),
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
