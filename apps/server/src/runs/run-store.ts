import type { JsonValue } from '@gptj-cloud/pickle';
import {
  finishReasonSchema,
  isId,
  type PageQuery,
  type RunState,
  runErrorSchema,
  runStateSchema,
} from '@gptj-cloud/protocol';
import { and, eq, getTableColumns, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import type { GenerationCost } from '../metering/usage/admission.ts';
import type { Database } from '../store/db.ts';
import type { Page } from '../store/page.ts';
import { returnedRows } from '../store/returned-rows.ts';
import { binOf } from './counts/latency-bins.ts';
import { type CountedEvent, LATENCIES } from './counts/run-counts-store.ts';
import { deleteFiles, fileColumns, insertFilesWith } from './files/file-store.ts';
import type { Run, RunFailure } from './run.ts';
import { type RunEnding, type RunResult, storableFailure } from './run-end.ts';
import { countedCode } from './run-failure.ts';
import type { Lease } from './run-lease-store.ts';
import { findRunPage, type RunFilter, type RunOrder, toTokens, toWaits } from './run-list-store.ts';
import { data, files, runs } from './run-tables.ts';
import { searchForm, storableText, textHead } from './text-head.ts';

/** The columns of a run that is accepted. */
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
  readonly isStreamed: boolean;
  readonly priority: number;
  readonly admissionTicket: string;
  readonly idempotencyKey: string | null;
  readonly requestHash: string | null;
  /** The first letters of the prompt. */
  readonly promptHead: string;
  /** See `hashPrefixes`. */
  readonly prefixHashes: readonly string[];
  /** What its engine must have; null: nothing that not every engine has. */
  readonly needs: string | null;
  /** Null when it waits for its execution. */
  readonly lease: Lease | null;
}

/**
 * Store runs whose data are stored. Returns the ids of the stored ones: a run whose project has one under its
 * idempotency key is not stored.
 */
export async function insertRuns(db: Database, rows: readonly NewRun[]): Promise<ReadonlySet<string>> {
  const items = rows.map(({ lease, ...run }) => {
    const state: RunState = lease === null ? 'received' : 'running';
    const begun = lease && {
      startedAt: run.createdAt,
      leaseOwner: lease.owner,
      leaseMs: lease.ms,
      executedBy: lease.owner,
    };
    const texts = { promptHead: textHead(run.promptHead), searchText: storableText(searchForm(run.promptHead)) };
    return { ...run, ...begun, ...texts, state, attempts: lease === null ? 0 : 1 };
  });
  const stored = await db.execute(sql`
    INSERT INTO runs (id, project_id, api_key_id, pipeline_id, data_id, created_at, resource_type, min_gpu_vram_mb,
      is_async, priority, admission_ticket, idempotency_key, request_hash, prompt_head, search_text, state, attempts,
      started_at, lease_owner, lease_expires_at, executed_by, is_streamed, prefix_hashes, needs,
      account_id)
    SELECT id, "projectId", "apiKeyId", "pipelineId", "dataId", "createdAt", "resourceType", "minGpuVramMb",
      "isAsync", priority, "admissionTicket", "idempotencyKey", "requestHash", "promptHead", "searchText", state, attempts,
      "startedAt", "leaseOwner", now() + "leaseMs" * interval '1 ms', "executedBy", "isStreamed",
      CASE WHEN cardinality("prefixHashes") > 0 THEN "prefixHashes" END, needs,
      coalesce((SELECT owner_id FROM projects p WHERE p.id = "projectId"), '')
    FROM jsonb_to_recordset(${JSON.stringify(items)}::text::jsonb) AS e (
      id text, "projectId" text, "apiKeyId" text, "pipelineId" text, "dataId" text, "createdAt" timestamptz,
      "resourceType" text, "minGpuVramMb" integer, "isAsync" boolean, priority integer, "admissionTicket" text,
      "idempotencyKey" text, "requestHash" text, "promptHead" text, "searchText" text, state text, attempts integer, "startedAt" timestamptz,
      "leaseOwner" text, "leaseMs" double precision, "executedBy" text, "isStreamed" boolean, "prefixHashes" bigint[], needs text)
    ON CONFLICT DO NOTHING
    RETURNING id`);
  return new Set(returnedRows(stored, z.object({ id: z.string() })).map(({ id }) => id));
}

/** Ends that were given to the store. */
export interface StoredEnds {
  /** For each whether it was stored: not when the run has ended or its lease has another owner. */
  readonly stored: readonly boolean[];
  /** What the stored ones add to the counts of their projects; the caller adds it in the same transaction. */
  readonly counted: readonly CountedEvent[];
}

/** Store ends of runs, with their results, in a transaction. One statement for all runs. */
export async function endRuns(tx: Database, endings: readonly RunEnding[]): Promise<StoredEnds> {
  const results = endings.flatMap(({ ender, end }) =>
    'result' in end ? [{ projectId: ender.projectId, file: end.result.file, createdAt: ender.endedAt }] : [],
  );
  const items = endings.map(({ ender, end, cost, execution }, index) => ({
    ...ender,
    index,
    endedAt: ender.endedAt.toISOString(),
    queuedMs: execution?.waits?.queuedMs ?? null,
    firstTokenMs: execution?.waits?.firstTokenMs ?? null,
    ...('result' in end ? completeColumns(end.result) : failedColumns(end.failure, cost)),
  }));
  const given = (name: string): SQL => sql.raw(`e."${name}"`);
  const ends = tx
    .update(runs)
    .set({
      state: given('state'),
      // The clock may have been set back since the run began.
      endedAt: sql`greatest(e."endedAt", ${runs.startedAt}, ${runs.createdAt})`,
      leaseOwner: null,
      leaseExpiresAt: null,
      prefixHashes: null,
      resultFileId: given('resultFileId'),
      resultPreview: given('resultPreview'),
      outputHead: given('outputHead'),
      searchText: sql`CASE WHEN e."outputText" IS NULL THEN ${runs.searchText}
        ELSE coalesce(${runs.searchText}, '') || E'\n' || e."outputText" END`,
      queuedMs: given('queuedMs'),
      firstTokenMs: given('firstTokenMs'),
      computeTimeMs: given('computeTimeMs'),
      promptTokens: given('promptTokens'),
      generatedTokens: given('generatedTokens'),
      computedTokens: given('computedTokens'),
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
        "generatedTokens" integer, "computedTokens" integer, "cachedTokens" integer, seed bigint, warnings text, "finishReasons" text,
        error text, "errorException" text, "errorTraceback" text, "outputHead" text, "outputText" text, "queuedMs" integer,
        "firstTokenMs" integer)`,
    )
    .where(
      sql`${runs.id} = e."runId" AND ${runs.projectId} = e."projectId" AND ${runs.endedAt} IS NULL
        AND (e.owner IS NULL OR ${runs.leaseOwner} = e.owner)`,
    )
    .returning({ index: sql<unknown>`e.index`.mapWith(Number), createdAt: runs.createdAt, endedAt: runs.endedAt });
  // The statement is sent when something waits for it.
  const rows = await insertFilesWith(tx, results, async () => await ends);
  const ended = new Set(rows.map(({ index }) => Number(index)));
  const unused = endings.flatMap(({ end }, i) => (ended.has(i) || !('result' in end) ? [] : [end.result.file.id]));
  await deleteFiles(tx, unused);
  return {
    stored: endings.map((_, i) => ended.has(i)),
    counted: rows.flatMap(({ index, createdAt, endedAt }) => countedEvents(endings[Number(index)], createdAt, endedAt)),
  };
}

/** What the end of a run adds to the counts of its project, in the hour of its acceptance. */
function countedEvents(ending: RunEnding | undefined, at: Date, endedAt: Date | null): readonly CountedEvent[] {
  if (ending === undefined) return [];
  const { end, execution, ender } = ending;
  const { projectId } = ender;
  if ('failure' in end) return [{ projectId, at, kind: 'error', key: countedCode(end.failure) }];
  const times = {
    queued: execution?.waits?.queuedMs ?? null,
    first_token: execution?.waits?.firstTokenMs ?? null,
    total: endedAt === null ? null : endedAt.getTime() - at.getTime(),
  };
  return LATENCIES.flatMap((kind) => {
    const ms = times[kind];
    return ms === null ? [] : [{ projectId, at, kind, key: String(binOf(ms)) }];
  });
}

function completeColumns(result: RunResult) {
  const state: RunState = 'complete';
  return {
    state,
    resultFileId: result.file.id,
    resultPreview: result.preview === null ? null : JSON.stringify(result.preview),
    outputHead: textHead(result.outputHead),
    outputText: storableText(searchForm(result.outputHead)),
    computeTimeMs: Math.round(result.computeTimeMs),
    promptTokens: result.promptTokens,
    generatedTokens: result.generatedTokens,
    computedTokens: result.computedTokens,
    cachedTokens: result.cachedTokens,
    seed: result.seed,
    warnings: result.warnings.length === 0 ? null : JSON.stringify(result.warnings),
    finishReasons: JSON.stringify(result.finishReasons),
  };
}

/** A run that failed after it was charged keeps its cost, so that its owner can check the charge. */
function failedColumns(failure: RunFailure, cost: GenerationCost | null) {
  const state: RunState = 'failed';
  const { error, exception: errorException, traceback: errorTraceback } = storableFailure(failure);
  const text = { state, error, errorException, errorTraceback };
  if (cost === null) return text;
  const { computeMs, promptTokens, generatedTokens, computedTokens, cachedTokens = 0 } = cost;
  const computeTimeMs = Math.round(computeMs);
  return { ...text, computeTimeMs, promptTokens, generatedTokens, computedTokens, cachedTokens };
}

/** Runs of projects: for each pair the run, or null when there is none or it belongs to another project. */
export async function findRuns(
  db: Database,
  wanted: readonly { readonly projectId: string; readonly id: string }[],
): Promise<readonly (Run | null)[]> {
  // Only valid ids reach the query: PostgreSQL fails on text with U+0000.
  const ids = [...new Set(wanted.map(({ id }) => id))].filter((id) => isId('run', id));
  if (ids.length === 0) return wanted.map(() => null);
  // One parameter: the statement is the same for any number of ids, so its plan is reused.
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

export async function listRuns(db: Database, filter: RunFilter, page: PageQuery<RunOrder>): Promise<Page<Run>> {
  const load = async (ids: readonly string[]) =>
    (await selectRuns(db, 'short').where(sql`${runs.id} = ANY(${sql.param([...ids])})`)).map(toRun);
  return await findRunPage(db, filter, page, load);
}

/** Longer previews of results are left out of lists: a page of 100 runs stays below a few megabytes. */
const MAX_LISTED_PREVIEW_BYTES = 16 * 1024;

function selectRuns(db: Database, previews: 'all' | 'short' = 'all') {
  const {
    resultPreview,
    promptHead: _,
    outputHead: __,
    searchText: ___,
    prefixHashes: ____,
    needs: _____,
    ...columns
  } = getTableColumns(runs);
  const isShort = sql`octet_length(${resultPreview}) <= ${MAX_LISTED_PREVIEW_BYTES}`;
  const shown =
    previews === 'all'
      ? { resultPreview: sql<string | null>`${resultPreview}`, isPreviewOmitted: sql<boolean>`false` }
      : {
          resultPreview: sql<string | null>`CASE WHEN ${isShort} THEN ${resultPreview} END`,
          isPreviewOmitted: sql<boolean>`coalesce(NOT ${isShort}, false)`,
        };
  const input = alias(files, 'input_files');
  const result = alias(files, 'result_files');
  return db
    .select({
      run: { ...columns, ...shown },
      data: { id: data.id, createdAt: data.createdAt },
      input: fileColumns(input),
      result: fileColumns(result),
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
    apiKeyId: run.apiKeyId,
    pipelineId: run.pipelineId,
    createdAt: run.createdAt,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    computeTimeMs: run.computeTimeMs,
    resourceType: run.resourceType,
    minGpuVramMb: run.minGpuVramMb,
    admissionTicket: run.admissionTicket,
    isAsync: run.isAsync,
    attempts: run.attempts,
    waits: toWaits(run),
    seed: run.seed,
    data: { ...input, file },
    state: runStateSchema.parse(run.state),
    result: run.resultFileId === null ? null : result,
    resultPreview: parseColumn(outputsSchema, run.resultPreview),
    isPreviewOmitted: run.isPreviewOmitted,
    failure: toFailure(run),
    usage: toTokens(run),
    warnings: parseColumn(warningsSchema, run.warnings) ?? [],
    finishReasons: parseColumn(finishReasonsSchema, run.finishReasons),
  };
}

const warningsSchema = z.array(z.string());
const finishReasonsSchema = z.array(finishReasonSchema);
/** Written by this server as JSON, so whatever is in it is JSON. */
const outputsSchema = z.array(z.custom<JsonValue>());

/** The value of a column of JSON text. */
function parseColumn<Value>(schema: z.ZodType<Value>, text: string | null): Value | null {
  return text === null ? null : schema.parse(JSON.parse(text));
}

function toFailure({ error, errorException, errorTraceback }: RunRow['run']): RunFailure | null {
  if (error === null) return null;
  return { error: runErrorSchema.parse(error), exception: errorException ?? '', traceback: errorTraceback ?? '' };
}

/** Remove an ended run, its result, and its data unless they are the input of another run. Call it in a transaction. */
export async function deleteRun(tx: Database, run: Run): Promise<void> {
  // A run that is being accepted with the same data holds them until it is stored, and is then counted below.
  await tx.select({ id: data.id }).from(data).where(eq(data.id, run.data.id)).for('update');
  await tx.delete(runs).where(and(eq(runs.id, run.id), eq(runs.projectId, run.projectId)));
  if (run.result !== null) await tx.delete(files).where(eq(files.id, run.result.id));
  const unused = sql`NOT EXISTS (SELECT 1 FROM ${runs} WHERE ${runs.dataId} = ${run.data.id})`;
  const deleted = await tx
    .delete(data)
    .where(and(eq(data.id, run.data.id), unused))
    .returning({ fileId: data.fileId });
  for (const { fileId } of deleted) {
    const isUnused = sql`NOT EXISTS (SELECT 1 FROM ${data} WHERE ${data.fileId} = ${fileId})`;
    await tx.delete(files).where(and(eq(files.id, fileId), isUnused));
  }
}
