import { ApiError, type RunCreate } from '@gptj-cloud/protocol';
import type { Pipeline, PreparedRun } from '../generation/pipelines/pipeline.ts';
import type { Principal } from '../identity/principal.ts';
import type { Database } from '../store/db.ts';
import type { StoredData } from './data/data.ts';
import { type NewFile, newFile } from './files/file.ts';
import { loadData } from './run-input.ts';

export interface RunRequest {
  readonly principal: Principal;
  readonly request: Omit<RunCreate, 'data'>;
  /** The inline data of the request as a pickle, or null when it names `data_id`. */
  readonly input: Uint8Array | null;
  readonly idempotencyKey: string | null;
  /** Sentences about the request, before those of the pipeline. Lost if another process executes the run. Default: none. */
  readonly warnings?: readonly string[];
}

/** What a run executes, and the data that it is stored with. */
export interface RunWork {
  readonly pipeline: Pipeline;
  readonly prepared: PreparedRun;
  readonly data: StoredData | NewFile;
}

export interface RunWorkDeps {
  readonly db: Database;
  /** The pipeline of an id or tag, as a project names it. Throws `pipeline_unknown`. */
  readonly findPipeline: (projectId: string, idOrTag: string) => Promise<Pipeline>;
}

/** Check a request. Throws `ApiError` for an invalid one. `inline` are the bytes of its inline data. */
export async function prepareWork(
  { db, findPipeline }: RunWorkDeps,
  { principal: { projectId }, request, input }: RunRequest,
): Promise<{ readonly work: RunWork; readonly inline: Uint8Array | null }> {
  if (typeof request.pipeline_id !== 'string') throw new ApiError('function_not_runnable');
  const pipeline = await findPipeline(projectId, request.pipeline_id);
  if (input !== null) {
    const prepared = await pipeline.prepare(input, projectId);
    return { work: { pipeline, prepared, data: newFile('data', input) }, inline: input };
  }
  const data = await loadData(db, projectId, request.data_id ?? '');
  const prepared = await pipeline.prepare(data.file.bytes, projectId);
  return { work: { pipeline, prepared, data }, inline: null };
}
