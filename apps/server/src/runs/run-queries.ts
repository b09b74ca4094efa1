import {
  ApiError,
  type Money,
  type PageQuery,
  type RunGet,
  type RunInputGet,
  type RunPage,
  type RunSummary as RunSummaryGet,
  type RunSummaryPage,
  toTimestamp,
} from '@gptj-cloud/protocol';
import type { PipelineRegistry } from '../generation/pipelines/pipeline-registry.ts';
import { findApiKeyNames } from '../identity/api-keys/api-key-store.ts';
import type { Admission } from '../metering/usage/admission.ts';
import { batched } from '../store/batched.ts';
import type { Database } from '../store/db.ts';
import { toPaginated } from '../store/page.ts';
import type { ProjectRun } from './project-feed.ts';
import { type Run, toRunGet, toTimings, toUsageGet } from './run.ts';
import { loadData } from './run-input.ts';
import {
  findRunSummaries,
  listRunSummaries,
  type RunFilter,
  type RunOrder,
  type RunSummary,
} from './run-list-store.ts';
import { findRuns, listRuns } from './run-store.ts';

/** Reading of runs; those of other projects count as absent. */
export interface RunQueries {
  /** Throws `not_found`. */
  read(projectId: string, id: string): Promise<Run>;
  /** The run as the API shows it. Throws `not_found`. */
  get(projectId: string, id: string): Promise<RunGet>;
  /** The same; null when the project has no such run. */
  find(projectId: string, id: string): Promise<RunGet | null>;
  list(filter: RunFilter, page: PageQuery<RunOrder>): Promise<RunPage>;
  listSummaries(filter: RunFilter, page: PageQuery<RunOrder>): Promise<RunSummaryPage>;
  /** The present summaries of runs of any project. */
  summariesOf(ids: readonly string[]): Promise<readonly ProjectRun[]>;
  /** What the run was started with. Throws `not_found`, and the refusal of input that has no form as JSON. */
  input(projectId: string, id: string): Promise<RunInputGet>;
  toGet(run: Run): RunGet;
}

export interface RunQueriesDeps {
  readonly db: Database;
  readonly pipelines: PipelineRegistry;
  readonly admission: Pick<Admission, 'price'>;
}

/** Reads that come together share a query. */
export function createRunQueries({ db, pipelines, admission }: RunQueriesDeps): RunQueries {
  const readRun = batched('read-run', (wanted: readonly { readonly projectId: string; readonly id: string }[]) =>
    findRuns(db, wanted),
  );
  const read = async (projectId: string, id: string): Promise<Run> => {
    const run = await readRun({ projectId, id });
    if (run === null) throw new ApiError('not_found', { kind: 'run', id: id.slice(0, 100) });
    return run;
  };
  const priceOf = ({
    admissionTicket,
    usage,
    computeTimeMs,
  }: Pick<Run, 'admissionTicket' | 'usage' | 'computeTimeMs'>) =>
    admissionTicket === null || usage === null
      ? null
      : admission.price(admissionTicket, { ...usage, computeMs: computeTimeMs ?? 0 });
  const toGet = (run: Run): RunGet => toRunGet(run, pipelines.describe(run.pipelineId), priceOf(run));
  const namesOf = (rows: readonly RunSummary[]): Promise<ReadonlyMap<string, string>> =>
    findApiKeyNames(
      db,
      rows.flatMap(({ apiKeyId }) => apiKeyId ?? []),
    );
  return {
    read,
    toGet,
    get: async (projectId, id) => toGet(await read(projectId, id)),
    async find(projectId, id) {
      const run = await readRun({ projectId, id });
      return run === null ? null : toGet(run);
    },
    async list(filter, page) {
      return toPaginated(page, await listRuns(db, filter, page), toGet);
    },
    async listSummaries(filter, page) {
      const found = await listRunSummaries(db, filter, page);
      const names = await namesOf(found.rows);
      return toPaginated(page, found, (run) => toSummaryGet(run, names, priceOf(run)));
    },
    async summariesOf(ids) {
      const rows = await findRunSummaries(db, ids);
      const names = await namesOf(rows);
      return rows.map((run) => ({ projectId: run.projectId, summary: toSummaryGet(run, names, priceOf(run)) }));
    },
    async input(projectId, id) {
      const run = await read(projectId, id);
      const { file } = await loadData(db, projectId, run.data.id);
      return await pipelines.find(run.pipelineId).describeInput(file.bytes, projectId);
    },
  };
}

function toSummaryGet(run: RunSummary, tokenNames: ReadonlyMap<string, string>, cost: Money | null): RunSummaryGet {
  const timestamp = (date: Date | null): number | null => (date === null ? null : toTimestamp(date));
  const { usage, apiKeyId } = run;
  return {
    id: run.id,
    created_at: toTimestamp(run.createdAt),
    started_at: timestamp(run.startedAt),
    ended_at: timestamp(run.endedAt),
    run_state: run.state,
    pipeline_id: run.pipelineId,
    prompt_head: run.promptHead,
    output_head: run.outputHead,
    token_id: apiKeyId,
    token_name: apiKeyId === null ? null : (tokenNames.get(apiKeyId) ?? null),
    error: run.failure?.error ?? null,
    exception: run.failure?.exception ?? null,
    usage: usage === null ? null : toUsageGet(usage),
    timings: toTimings(run.waits, run.computeTimeMs),
    cost,
    seed: run.seed,
    attempts: run.attempts,
    async_run: run.isAsync,
  };
}
