import { ApiError, type PageQuery, type RunGet, type RunPage } from '@gptj-cloud/protocol';
import type { PipelineRegistry } from '../generation/pipelines/pipeline-registry.ts';
import { batched } from '../store/batched.ts';
import type { Database } from '../store/db.ts';
import { toPaginated } from '../store/page.ts';
import { type Run, toRunGet } from './run.ts';
import { findRuns, listRuns, type RunFilter } from './run-store.ts';

/** Reading of runs; those of other projects count as absent. */
export interface RunQueries {
  /** Throws `not_found`. */
  read(projectId: string, id: string): Promise<Run>;
  /** The run as the API shows it. Throws `not_found`. */
  get(projectId: string, id: string): Promise<RunGet>;
  /** The same; null when the project has no such run. */
  find(projectId: string, id: string): Promise<RunGet | null>;
  list(filter: RunFilter, page: PageQuery<'created_at'>): Promise<RunPage>;
  toGet(run: Run): RunGet;
}

/** Reads that come together share a query. */
export function createRunQueries(db: Database, pipelines: PipelineRegistry): RunQueries {
  const readRun = batched((wanted: readonly { readonly projectId: string; readonly id: string }[]) =>
    findRuns(db, wanted),
  );
  const read = async (projectId: string, id: string): Promise<Run> => {
    const run = await readRun({ projectId, id });
    if (run === null) throw new ApiError('not_found', { kind: 'run', id: id.slice(0, 100) });
    return run;
  };
  const toGet = (run: Run): RunGet => toRunGet(run, pipelines.describe(run.pipelineId));
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
  };
}
