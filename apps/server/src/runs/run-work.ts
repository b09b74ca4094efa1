import { ApiError, type RunCreate } from '@gptj-cloud/protocol';
import type { Pipeline, PreparedRun } from '../generation/pipelines/pipeline.ts';
import { describeUnmetNeed } from '../generation/unmet-need.ts';
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
  /** Whether a living server may compute runs of a model that need a capability. */
  readonly isComputable: (model: string, capability: string) => Promise<boolean>;
}

/** Check a request. Throws `ApiError` for an invalid one. `inline` are the bytes of its inline data. */
export async function prepareWork(
  deps: RunWorkDeps,
  { principal: { projectId }, request, input }: RunRequest,
): Promise<{ readonly work: RunWork; readonly inline: Uint8Array | null }> {
  const { db, findPipeline } = deps;
  if (typeof request.pipeline_id !== 'string') throw new ApiError('function_not_runnable');
  const pipeline = await findPipeline(projectId, request.pipeline_id);
  if (input !== null) {
    const prepared = await prepareComputable(deps, pipeline, input, projectId);
    return { work: { pipeline, prepared, data: newFile('data', input) }, inline: input };
  }
  const data = await loadData(db, projectId, request.data_id ?? '');
  const prepared = await prepareComputable(deps, pipeline, data.file.bytes, projectId);
  return { work: { pipeline, prepared, data }, inline: null };
}

/** Throws `invalid_parameter` where the servers that run cannot honour the parameters. */
async function prepareComputable(
  { isComputable }: RunWorkDeps,
  pipeline: Pipeline,
  input: Uint8Array,
  projectId: string,
): Promise<PreparedRun> {
  const prepared = await pipeline.prepare(input, projectId);
  const { need } = prepared;
  if (need === null || (await isComputable(pipeline.model, need.capability))) return prepared;
  throw new ApiError(
    'invalid_parameter',
    { reason: describeUnmetNeed(need) },
    { details: { parameters: [...need.parameters], reason: 'unsupported_parameter' } },
  );
}
