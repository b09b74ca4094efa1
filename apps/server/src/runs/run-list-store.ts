/** Which runs a list has, and the short form of a run that needs neither its input nor its result. */
import {
  invalidParameter,
  isId,
  type PageQuery,
  type RunState,
  runErrorSchema,
  runStateSchema,
} from '@gptj-cloud/protocol';
import { and, eq, gte, inArray, isNotNull, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { findPage, type Page } from '../store/page.ts';
import { findSearchPage } from '../store/search-page.ts';
import type { RunFailure, RunTokens, RunWaits } from './run.ts';
import { runs } from './run-tables.ts';
import { searchForm, storableText } from './text-head.ts';

/** Null: whichever. */
export interface RunFilter {
  readonly projectId: string;
  readonly pipelineId: string | null;
  readonly states: readonly RunState[] | null;
  /** The API token that started them, or `session` for those of browser sessions. */
  readonly tokenId: string | null;
  readonly createdAfter: Date | null;
  readonly createdBefore: Date | null;
  /** A part of the head of prompt or output, or of the id. */
  readonly text: string | null;
}

/** Everything about a run but its input, result and traceback. */
export interface RunSummary {
  readonly id: string;
  readonly projectId: string;
  readonly pipelineId: string;
  readonly apiKeyId: string | null;
  readonly state: RunState;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly promptHead: string | null;
  readonly outputHead: string | null;
  readonly failure: Pick<RunFailure, 'error' | 'exception'> | null;
  readonly usage: RunTokens | null;
  readonly computeTimeMs: number | null;
  readonly waits: RunWaits | null;
  readonly seed: number | null;
  readonly attempts: number;
  readonly isAsync: boolean;
  readonly admissionTicket: string | null;
}

/** Letters of an exception that a summary has. */
const MAX_EXCEPTION = 300;

/** What a list of runs can be ordered by. Runs without the figure are not in it. */
export const RUN_ORDERS = ['created_at', 'compute_time_ms', 'computed_tokens'] as const;
export type RunOrder = (typeof RUN_ORDERS)[number];

/** To compare the figure of every run would take longer than finding the page. */
const MAX_COUNTED_BY_FIGURE = 1_000;

const ORDER_COLUMNS = {
  created_at: runs.createdAt,
  compute_time_ms: runs.computeTimeMs,
  computed_tokens: runs.computedTokens,
} as const;

/** A page of the runs of a list. With a text, see `findSearchPage`, which goes by time. */
export async function findRunPage<Row extends { readonly id: string }>(
  db: Database,
  filter: RunFilter,
  page: PageQuery<RunOrder>,
  load: (ids: readonly string[]) => Promise<readonly Row[]>,
): Promise<Page<Row>> {
  const { projectId, pipelineId, states, tokenId, createdAfter, createdBefore, text } = filter;
  const [state] = states ?? [];
  const span = and(
    eq(runs.projectId, projectId),
    createdAfter === null ? undefined : gte(runs.createdAt, createdAfter),
    createdBefore === null ? undefined : lt(runs.createdAt, createdBefore),
  );
  const isOfFilter = and(
    pipelineId === null ? undefined : eq(runs.pipelineId, pipelineId),
    states === null || state === undefined
      ? undefined
      : states.length === 1
        ? eq(runs.state, state)
        : inArray(runs.state, [...states]),
    tokenId === null ? undefined : tokenId === 'session' ? isNull(runs.apiKeyId) : eq(runs.apiKeyId, tokenId),
  );
  const { field } = page.orderBy;
  const source = { table: runs, time: ORDER_COLUMNS[field], id: runs.id };
  const idOf = ({ id }: Row): string => id;
  const id = text?.trim().toLowerCase() ?? '';
  if (text === null || isId('run', id)) {
    const hasFigure = field === 'created_at' ? undefined : isNotNull(source.time);
    const where = and(span, isOfFilter, hasFigure, text === null ? undefined : eq(runs.id, id));
    const counted = hasFigure === undefined ? {} : { maxCounted: MAX_COUNTED_BY_FIGURE };
    return await findPage(db, { ...source, ...counted, where }, page, load, idOf);
  }
  if (field !== 'created_at') throw invalidParameter('query->order_by', 'expected created_at with q');
  const matches = and(isOfFilter, contains(text, id));
  return await findSearchPage(db, { ...source, where: span, matches }, page, load, idOf);
}

function contains(text: string, id: string): SQL | undefined {
  return or(
    sql`position(${storableText(searchForm(text))} in ${runs.searchText}) > 0`,
    /^(run_)?[0-9a-f]{4,32}$/.test(id) ? sql`position(${id} in ${runs.id}) > 0` : undefined,
  );
}

export async function listRunSummaries(
  db: Database,
  filter: RunFilter,
  page: PageQuery<RunOrder>,
): Promise<Page<RunSummary>> {
  return await findRunPage(db, filter, page, (ids) => findRunSummaries(db, ids));
}

/** Those of the runs that are stored, of any project, in any order. */
export async function findRunSummaries(db: Database, ids: readonly string[]): Promise<readonly RunSummary[]> {
  const rows = await db
    .select({
      id: runs.id,
      projectId: runs.projectId,
      pipelineId: runs.pipelineId,
      apiKeyId: runs.apiKeyId,
      state: runs.state,
      createdAt: runs.createdAt,
      startedAt: runs.startedAt,
      endedAt: runs.endedAt,
      promptHead: runs.promptHead,
      outputHead: runs.outputHead,
      error: runs.error,
      exception: sql<string | null>`left(${runs.errorException}, ${MAX_EXCEPTION})`,
      promptTokens: runs.promptTokens,
      generatedTokens: runs.generatedTokens,
      computedTokens: runs.computedTokens,
      cachedTokens: runs.cachedTokens,
      computeTimeMs: runs.computeTimeMs,
      queuedMs: runs.queuedMs,
      firstTokenMs: runs.firstTokenMs,
      seed: runs.seed,
      attempts: runs.attempts,
      isAsync: runs.isAsync,
      admissionTicket: runs.admissionTicket,
    })
    .from(runs)
    .where(sql`${runs.id} = ANY(${sql.param([...ids])})`);
  return rows.map(({ error, exception, state, queuedMs, firstTokenMs, ...row }) => ({
    ...row,
    state: runStateSchema.parse(state),
    failure: error === null ? null : { error: runErrorSchema.parse(error), exception: exception ?? '' },
    usage: toTokens(row),
    waits: toWaits({ queuedMs, firstTokenMs }),
  }));
}

/** Ids of the runs of these projects that were accepted, began or ended at `since` or later. */
export async function findChangedRuns(
  db: Database,
  projectIds: readonly string[],
  since: Date,
  limit: number,
): Promise<readonly string[]> {
  const isOfProjects = sql`${runs.projectId} = ANY(${sql.param([...projectIds])})`;
  const accepted = db
    .select({ id: runs.id })
    .from(runs)
    .where(and(isOfProjects, gte(runs.createdAt, since)));
  const began = db
    .select({ id: runs.id })
    .from(runs)
    .where(and(isOfProjects, isNull(runs.endedAt), gte(runs.startedAt, since)));
  const ended = db
    .select({ id: runs.id })
    .from(runs)
    .where(and(isOfProjects, gte(runs.endedAt, since)));
  const rows = await accepted.union(began).union(ended).limit(limit);
  return rows.map(({ id }) => id);
}

/** Null where nothing was computed. */
export function toTokens(row: {
  readonly promptTokens: number | null;
  readonly generatedTokens: number | null;
  readonly computedTokens: number | null;
  readonly cachedTokens: number | null;
}): RunTokens | null {
  const { promptTokens, generatedTokens, computedTokens, cachedTokens } = row;
  if (promptTokens === null || generatedTokens === null || computedTokens === null || cachedTokens === null)
    return null;
  return { promptTokens, generatedTokens, computedTokens, cachedTokens };
}

export function toWaits(row: {
  readonly queuedMs: number | null;
  readonly firstTokenMs: number | null;
}): RunWaits | null {
  const { queuedMs, firstTokenMs } = row;
  return queuedMs === null ? null : { queuedMs, firstTokenMs };
}
