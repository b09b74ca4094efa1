/**
 * The life of a run: its input is checked, a place in the queue is taken, then data and run are stored in one
 * transaction (received), it gets its turn (running), and result and end are stored in one transaction (complete or
 * failed). A kill between any two of these leaves rows that `recover` ends at the next start.
 */
import { setMaxListeners } from 'node:events';
import { PickleError, type PickleValue, readPickle, toJson, writePickle } from '@gptj-cloud/pickle';
import { ApiError, newId, type RunCreate, type RunGet, type RunPage } from '@gptj-cloud/protocol';
import type { StoredData } from '../data/data.ts';
import { findData, insertData } from '../data/data-store.ts';
import { type NewFile, newFile } from '../files/file.ts';
import { insertFile } from '../files/file-store.ts';
import type { Logger } from '../logger.ts';
import type { PipelineOutcome, PreparedRun } from '../pipelines/pipeline.ts';
import type { PipelineRegistry } from '../pipelines/pipeline-registry.ts';
import type { Database } from '../store/db.ts';
import { type Run, type RunFailure, toRunGet } from './run.ts';
import { INTERRUPTED, judgeFailure } from './run-failure.ts';
import type { RunQueue } from './run-queue.ts';
import {
  completeRun,
  failRun,
  failUnfinishedRuns,
  findRun,
  insertRun,
  listRuns,
  markRunning,
  type RunOrder,
} from './run-store.ts';

export interface RunServiceDeps {
  readonly db: Database;
  readonly queue: RunQueue;
  readonly pipelines: PipelineRegistry;
  readonly logger: Logger;
  readonly clock: () => Date;
  /** What runs are executed on, as runs show it: `cpu` or `gpu`. */
  readonly resourceType: string;
  /** Fires when the server will wait no longer for runs to end. */
  readonly stop: AbortSignal;
}

/** A run that was accepted: it is stored and will end whether or not somebody waits. */
export interface AcceptedRun {
  readonly id: string;
  /** The ended run, complete or failed. Rejects only when the store fails. */
  readonly ended: Promise<RunGet>;
}

export interface RunService {
  /**
   * Accept a run. `input` is the inline data of the request, or null when it names `data_id`.
   * Throws `ApiError` when anything about it is wrong; nothing is stored then.
   */
  create(request: Omit<RunCreate, 'data'>, input: PickleValue | null): Promise<AcceptedRun>;
  get(id: string): Promise<RunGet>;
  list(page: { readonly skip: number; readonly limit: number; readonly orderBy: RunOrder }): Promise<RunPage>;
  /** End the runs that a crash left open; how many there were. */
  recover(): Promise<number>;
}

/** Runs whose engine died are started so often before they fail. */
const MOST_ATTEMPTS = 2;

export function createRunService(deps: RunServiceDeps): RunService {
  const { db, queue, pipelines, clock } = deps;
  // Every run in flight listens.
  setMaxListeners(0, deps.stop);
  const show = (run: Run): RunGet => toRunGet(run, pipelines.describe(run.pipelineId));
  const get = async (id: string): Promise<RunGet> => {
    const run = await findRun(db, id);
    if (run === null) throw new ApiError('not_found', { kind: 'run', id: id.slice(0, 100) });
    return show(run);
  };

  return {
    get,
    async create(request, input) {
      if (typeof request.pipeline_id !== 'string') throw new ApiError('function_not_runnable');
      const pipeline = pipelines.find(request.pipeline_id);
      const stored = input === null ? await loadData(db, request.data_id ?? '') : null;
      const prepared = pipeline.prepare(stored === null ? input : readInput(stored));
      const data = stored ?? newFile('data', pickleInput(input));
      const place = queue.reserve();
      const id = newId('run');
      try {
        const createdAt = clock();
        await db.transaction(async (tx) => {
          const dataId = 'file' in data ? data.id : await storeInput(tx, data, createdAt);
          await insertRun(tx, {
            id,
            pipelineId: pipeline.id,
            dataId,
            createdAt,
            resourceType: deps.resourceType,
            minGpuVramMb: request.compute_requirements?.min_gpu_vram_mb ?? null,
          });
        });
      } catch (error) {
        place.giveUp();
        throw error;
      }
      const ended = place.start(() => perform(deps, id, prepared)).then(() => get(id));
      // Nobody may be waiting any more; the failure of the store must not go unseen, nor end the process.
      ended.catch((error: unknown) => deps.logger.error('run could not be stored', { run_id: id, error }));
      return { id, ended };
    },
    async list(page) {
      const { total, runs } = await listRuns(db, page);
      return { skip: page.skip, limit: page.limit, total, data: runs.map(show) };
    },
    recover: () => failUnfinishedRuns(db, INTERRUPTED, clock()),
  };
}

/** Execute an accepted run and store how it ended. */
async function perform(deps: RunServiceDeps, id: string, prepared: PreparedRun): Promise<void> {
  const { db, clock } = deps;
  await markRunning(db, id, clock());
  const outcome = await attempt(deps, id, prepared);
  if ('error' in outcome) {
    await failRun(db, id, outcome, clock());
    return;
  }
  try {
    const outputs = toJson(outcome.outputs);
    await completeRun(db, id, {
      file: newFile('result', writePickle(outputs)),
      preview: JSON.stringify(outputs),
      computeTimeMs: outcome.computeTimeMs,
      endedAt: clock(),
    });
  } catch (error) {
    deps.logger.error('result could not be stored', { run_id: id, error });
    await failRun(db, id, judgeFailure(error).failure, clock());
  }
}

async function attempt(deps: RunServiceDeps, id: string, prepared: PreparedRun): Promise<PipelineOutcome | RunFailure> {
  for (let attempts = 1; ; attempts++) {
    try {
      deps.stop.throwIfAborted();
      return await prepared.execute(deps.stop);
    } catch (error) {
      if (deps.stop.aborted) return INTERRUPTED;
      const verdict = judgeFailure(error);
      if (verdict.retry && attempts < MOST_ATTEMPTS) {
        deps.logger.warn('run attempt failed', { run_id: id, attempts, error });
        continue;
      }
      deps.logger[verdict.unexpected ? 'error' : 'warn']('run failed', { run_id: id, attempts, error });
      return verdict.failure;
    }
  }
}

async function loadData(db: Database, id: string): Promise<StoredData> {
  const stored = await findData(db, id, 'all');
  if (stored === null) throw new ApiError('not_found', { kind: 'data', id: id.slice(0, 100) });
  return stored;
}

function readInput(stored: StoredData): PickleValue {
  try {
    return readPickle(stored.file.bytes ?? new Uint8Array());
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new ApiError('invalid_pickle', { reason: error.message }, { details: { reason: error.code }, cause: error });
  }
}

/** Inline data as the clients' uploads are kept: a pickle. */
function pickleInput(input: PickleValue): Uint8Array {
  try {
    return writePickle(toJson(input));
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new ApiError('invalid_input', { reason: error.message }, { cause: error });
  }
}

async function storeInput(db: Database, file: NewFile, createdAt: Date): Promise<string> {
  await insertFile(db, file, createdAt);
  const id = newId('data');
  await insertData(db, { id, createdAt, file });
  return id;
}
