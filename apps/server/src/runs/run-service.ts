/**
 * The life of a run: its input is checked, a place is taken, then it is stored (see `run-ledger`). From then on it will
 * end, whatever happens to this process: it is executed (see `run-worker` and `run-execution`), here or after the next
 * start, and its end is stored once.
 */
import { randomUUID } from 'node:crypto';
import type { PickleValue } from '@gptj-cloud/pickle';
import {
  ApiError,
  isTerminal,
  newId,
  type RunCreate,
  type RunEvent,
  type RunGet,
  type RunPage,
} from '@gptj-cloud/protocol';
import { type Pipeline, type PreparedRun, withWarnings } from '../generation/pipelines/pipeline.ts';
import type { PipelineRegistry } from '../generation/pipelines/pipeline-registry.ts';
import type { Principal } from '../identity/principal.ts';
import type { Admission, AdmittedRun } from '../metering/usage/admission.ts';
import { batched } from '../store/batched.ts';
import type { Database } from '../store/db.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createAcceptedRuns } from './accepted-runs.ts';
import type { StoredData } from './data/data.ts';
import { type NewFile, newFile, withSmallBytes } from './files/file.ts';
import { NEW_RUN, type Run, toRunGet } from './run.ts';
import { createRunEvents, type EventReader } from './run-events.ts';
import { performRun, type RunExecutionDeps, readInput } from './run-execution.ts';
import { CANCELLED } from './run-failure.ts';
import { loadData, requestHash, storableInput } from './run-input.ts';
import { requestCancel } from './run-lease-store.ts';
import { createRunLedger, type OnRunsEnd } from './run-ledger.ts';
import { observeLedger, type RunObserver } from './run-observer.ts';
import { deleteRun, findRunByKey, findRuns, listRuns, type RunFilter, type RunPageQuery } from './run-store.ts';
import { type RunLimits, type RunTiming, RunWorker } from './run-worker.ts';

export interface RunServiceDeps {
  readonly db: Database;
  readonly limits: RunLimits;
  readonly pipelines: PipelineRegistry;
  readonly admission: Admission;
  readonly logger: Logger;
  readonly clock: () => Date;
  /** What runs are executed on, as runs show it: `cpu` or `gpu`. */
  readonly resourceType: string;
  /** No other process uses the store. */
  readonly ownsStore: boolean;
  /** The pipeline that a project means by an id or tag. Throws `pipeline_unknown`. */
  readonly findPipeline: (projectId: string, idOrTag: string) => Promise<Pipeline>;
  readonly onRunsEnd: OnRunsEnd;
  readonly observer?: RunObserver;
  readonly timing?: RunTiming;
}

export interface RunRequest {
  readonly principal: Principal;
  readonly request: Omit<RunCreate, 'data'>;
  /** The inline data of the request, or null when it names `data_id`. */
  readonly input: PickleValue | null;
  readonly idempotencyKey: string | null;
  /** Sentences about the request, before those of the pipeline. Lost if another process executes the run. Default: none. */
  readonly warnings?: readonly string[];
}

/** A run that was accepted: it is stored and will end whether or not somebody waits. */
export interface AcceptedRun {
  readonly id: string;
  readonly isAsync: boolean;
  /** The ended run, complete or failed. Rejects only when the store fails. */
  ended(): Promise<RunGet>;
  /** Its events from the first on; null unless it was asked with `stream`, or is asynchronous. */
  readonly events: EventReader | null;
}

export interface RunService {
  /** Accept a run. Throws `ApiError` when anything about it is wrong; nothing is stored then. */
  create(request: RunRequest): Promise<AcceptedRun>;
  get(projectId: string, id: string): Promise<RunGet>;
  /** The same; null when the project has no such run. */
  find(projectId: string, id: string): Promise<RunGet | null>;
  list(filter: RunFilter, page: RunPageQuery): Promise<RunPage>;
  /** The run when it has ended. */
  ended(projectId: string, id: string): Promise<RunGet>;
  /** Events kept of a run that is the project's; null when there are none any more. */
  events(projectId: string, id: string, after: string | null): Promise<EventReader | null>;
  /** End a run as failed, wherever it is. One that has ended stays as it is. */
  cancel(projectId: string, id: string): Promise<RunGet>;
  /** The reader of a stream has gone: nobody waits for a run that is not asynchronous any more. */
  abandon(projectId: string, id: string): Promise<void>;
  /** Remove a run, its result, and its data unless another run has the same. Throws `run_not_ended`. */
  remove(projectId: string, id: string): Promise<void>;
  /** Begin to execute what is in the store; how many runs an earlier process left. */
  start(): Promise<number>;
  readonly worker: RunWorker;
}

const GOES_ON: RunEvent = {
  type: 'error',
  code: 'stream_ended',
  message: 'this stream has ended; the run goes on: ask for it by its id',
};

interface Waiter {
  readonly resolve: (run: RunGet) => void;
  readonly reject: (error: unknown) => void;
}

export function createRunService(deps: RunServiceDeps): RunService {
  const { db, pipelines, clock, logger } = deps;
  const owner = randomUUID();
  const events = createRunEvents({ name: owner.slice(0, 8), now: () => performance.now() });
  const accepted = createAcceptedRuns();
  const waiters = new Map<string, Set<Waiter>>();
  const show = (run: Run): RunGet => toRunGet(run, pipelines.describe(run.pipelineId));

  const ledger = observeLedger(createRunLedger(deps), deps.observer, (ending) => accepted.ended(ending));
  const read = batched((wanted: readonly { readonly projectId: string; readonly id: string }[]) =>
    findRuns(db, wanted),
  );
  const find = async (projectId: string, id: string): Promise<Run> => {
    const run = await read({ projectId, id });
    if (run === null) throw new ApiError('not_found', { kind: 'run', id: id.slice(0, 100) });
    return run;
  };
  const get = async (projectId: string, id: string): Promise<RunGet> => show(await find(projectId, id));

  const announce = async ({ id, projectId }: { readonly id: string; readonly projectId: string }): Promise<void> => {
    const known = accepted.take(id);
    const waiting = waiters.get(id) ?? new Set();
    waiters.delete(id);
    if (waiting.size === 0 && !events.isOpen(id)) return;
    try {
      const run = known === null ? await get(projectId, id) : show(known);
      const isOver = isTerminal(run.run_state);
      events.publish(id, isOver ? { type: 'run', run } : GOES_ON);
      events.end(id);
      if (!isOver && !worker.stopped && waiting.size > 0) {
        // Another process has it now.
        waiters.set(id, new Set([...(waiters.get(id) ?? []), ...waiting]));
        worker.watch({ id, projectId });
        return;
      }
      for (const { resolve } of waiting) resolve(run);
    } catch (error) {
      events.end(id);
      for (const { reject } of waiting) reject(error);
    }
  };
  const execution: RunExecutionDeps = {
    ...deps,
    ledger,
    events,
    owner,
    accepted,
    show: (run) => get(run.projectId, run.id),
  };
  const worker = new RunWorker({
    db,
    limits: deps.limits,
    logger,
    clock,
    owner,
    ownsStore: deps.ownsStore,
    ...(deps.timing === undefined ? {} : { timing: deps.timing }),
    perform: (run, signal) => performRun(execution, run, signal),
    onEnded: (run) => void announce(run),
  });

  const nextEnd = (projectId: string, id: string): { readonly end: Promise<RunGet>; readonly drop: () => void } => {
    worker.watch({ id, projectId });
    let drop = (): void => {};
    const end = new Promise<RunGet>((resolve, reject) => {
      const waiter: Waiter = { resolve, reject };
      const waiting = waiters.get(id) ?? new Set();
      waiters.set(id, waiting.add(waiter));
      drop = () => {
        waiting.delete(waiter);
        if (waiting.size > 0 || waiters.get(id) !== waiting) return;
        waiters.delete(id);
        worker.unwatch(id);
      };
    });
    // Nobody may be waiting any more.
    end.catch((error: unknown) => logger.error('end of a run could not be read', { run_id: id, error }));
    return { end, drop };
  };
  const ended = async (projectId: string, id: string): Promise<RunGet> => {
    // Register first, look then: an end in between is not missed.
    const { end, drop } = nextEnd(projectId, id);
    try {
      const run = await get(projectId, id);
      if (!isTerminal(run.run_state)) return await end;
      drop();
      return run;
    } catch (error) {
      drop();
      throw error;
    }
  };

  const repeated = async (request: RunRequest, key: string, hash: string): Promise<AcceptedRun | null> => {
    const { projectId } = request.principal;
    const known = await findRunByKey(db, projectId, key);
    if (known === null) return null;
    if (known.requestHash !== hash) throw new ApiError('idempotency_key_reused', { id: known.id });
    return {
      id: known.id,
      isAsync: known.isAsync,
      ended: () => ended(projectId, known.id),
      events: events.read(known.id, null),
    };
  };

  const accept = async (
    { principal, request, idempotencyKey, warnings = [] }: RunRequest,
    work: { readonly pipeline: Pipeline; readonly prepared: PreparedRun; readonly data: StoredData | NewFile },
    hash: string | null,
  ): Promise<AcceptedRun | null> => {
    const { projectId } = principal;
    const { pipeline, data } = work;
    const id = newId('run');
    const dataId = 'file' in data ? data.id : newId('data');
    const isAsync = request.async_run ?? false;
    const createdAt = clock();
    worker.reserve();
    const lease = worker.takeLease();
    const { resourceType } = deps;
    const minGpuVramMb = request.compute_requirements?.min_gpu_vram_mb ?? null;
    let admitted: AdmittedRun | null = null;
    try {
      admitted = await ledger.accept({
        principal,
        estimate: {
          model: pipeline.id,
          promptTokens: work.prepared.promptTokens,
          maxGeneratedTokens: work.prepared.maxGeneratedTokens,
          contextTokens: work.prepared.contextTokens,
        },
        row: {
          id,
          projectId,
          apiKeyId: principal.apiKeyId,
          pipelineId: pipeline.id,
          dataId,
          createdAt,
          resourceType,
          minGpuVramMb,
          isAsync,
          idempotencyKey,
          requestHash: hash,
          lease,
        },
        input: 'file' in data ? null : data,
      });
    } finally {
      if (admitted === null) worker.giveUp(lease);
    }
    if (admitted === null) return null;
    const { priority, ticket: admissionTicket } = admitted;
    const run: Run = {
      ...NEW_RUN,
      id,
      projectId,
      pipelineId: pipeline.id,
      data: {
        id: dataId,
        createdAt: 'file' in data ? data.createdAt : createdAt,
        file: withSmallBytes('file' in data ? data.file : data),
      },
      state: lease === null ? 'received' : 'running',
      createdAt,
      startedAt: lease === null ? null : createdAt,
      resourceType,
      minGpuVramMb,
      admissionTicket,
      isAsync,
    };
    accepted.add(run, withWarnings(work.prepared, warnings));
    let reader: EventReader | null = null;
    if (isAsync || (request.stream ?? false)) {
      events.open(id);
      events.publish(id, { type: 'run', run: show(run) });
      reader = events.read(id, null);
    }
    const end = isAsync ? null : nextEnd(projectId, id).end;
    const { pipelineId } = run;
    if (lease === null) worker.queued(run);
    else {
      const begun = { createdAt, startedAt: createdAt, attempts: 1, cancelRequested: false };
      worker.begin({ id, projectId, pipelineId, dataId, isAsync, priority, admissionTicket, ...begun });
    }
    return { id, isAsync, ended: () => end ?? ended(projectId, id), events: reader };
  };

  return {
    worker,
    get,
    async find(projectId, id) {
      const run = await read({ projectId, id });
      return run === null ? null : show(run);
    },
    ended,
    start: () => worker.start(),
    async create(asked) {
      const { principal, request, input, idempotencyKey } = asked;
      if (typeof request.pipeline_id !== 'string') throw new ApiError('function_not_runnable');
      const pipeline = await deps.findPipeline(principal.projectId, request.pipeline_id);
      const stored = input === null ? await loadData(db, principal.projectId, request.data_id ?? '') : null;
      const bytes = stored === null ? storableInput(input) : null;
      const prepared = pipeline.prepare(stored === null ? input : readInput(stored.file.bytes ?? new Uint8Array()));
      const hash = idempotencyKey === null ? null : requestHash(request, pipeline.id, bytes);
      if (idempotencyKey !== null && hash !== null) {
        const known = await repeated(asked, idempotencyKey, hash);
        if (known !== null) return known;
      }
      const data = stored ?? newFile('data', bytes ?? new Uint8Array());
      const accepted = await accept(asked, { pipeline, prepared, data }, hash);
      if (accepted !== null) return accepted;
      // The same key came twice at the same time.
      const known = await repeated(asked, idempotencyKey ?? '', hash ?? '');
      if (known === null) throw new ApiError('internal');
      return known;
    },
    async list(filter, page) {
      const { total, runs } = await listRuns(db, filter, page);
      return { skip: page.skip, limit: page.limit, total, data: runs.map(show) };
    },
    async events(projectId, id, after) {
      await find(projectId, id);
      return events.read(id, after);
    },
    async cancel(projectId, id) {
      const run = await find(projectId, id);
      if (isTerminal(run.state)) return show(run);
      // Another server that executes it ends it itself: it knows what the run has cost.
      const isTold = worker.abort(id, 'cancelled') || (!deps.ownsStore && (await requestCancel(db, id, clock())));
      if (!isTold) {
        const ender = { runId: id, projectId, owner: null, endedAt: clock() };
        await ledger.end({ ender, ticket: run.admissionTicket, cost: null, end: { failure: CANCELLED } });
        worker.ended(id);
      }
      return await ended(projectId, id);
    },
    async abandon(projectId, id) {
      if (events.readers(id) > 0) return;
      const run = await find(projectId, id);
      if (!run.isAsync && !isTerminal(run.state)) await this.cancel(projectId, id);
    },
    async remove(projectId, id) {
      const run = await find(projectId, id);
      if (!isTerminal(run.state)) throw new ApiError('run_not_ended', { id });
      await db.transaction((tx) => deleteRun(tx, run));
    },
  };
}
