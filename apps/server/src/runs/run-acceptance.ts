import { ApiError, newId, type RunGet } from '@gptj-cloud/protocol';
import { EVENT_COALESCE_MS } from '../generation/event-coalesce-ms.ts';
import { withWarnings } from '../generation/pipelines/pipeline.ts';
import type { Admission, AdmittedRun } from '../metering/usage/admission.ts';
import type { AcceptedRuns } from './accepted-runs.ts';
import { type BegunRun, beginRun } from './begun-run.ts';
import { withSmallBytes } from './files/file.ts';
import type { GoodStandings } from './good-standings.ts';
import type { PrefixAffinity } from './nodes/prefix-affinity.ts';
import type { RunFollower } from './nodes/run-follower.ts';
import { NEW_RUN, type Run } from './run.ts';
import type { EventReader, RunEvents } from './run-events.ts';
import { requestHash } from './run-input.ts';
import type { RunLedger } from './run-ledger.ts';
import type { RunQueries } from './run-queries.ts';
import { findRunByKey } from './run-store.ts';
import { FIRST_TRY, isAlone } from './run-tries.ts';
import type { RunWaiters } from './run-waiters.ts';
import { prepareWork, type RunRequest, type RunWork, type RunWorkDeps } from './run-work.ts';
import type { RunWorker } from './run-worker.ts';

/** An accepted run: it is stored and will be executed, whether or not a caller waits. */
export interface AcceptedRun {
  readonly id: string;
  readonly isAsync: boolean;
  /** The ended run, complete or failed. Rejects only when the store fails. */
  waitUntilEnded(): Promise<RunGet>;
  /** Its events from the first on; null unless the request has `stream` or is asynchronous. */
  readonly events: EventReader | null;
}

export interface RunAcceptanceDeps extends RunWorkDeps {
  readonly clock: () => Date;
  readonly resourceType: string;
  readonly ledger: RunLedger;
  readonly worker: RunWorker;
  readonly events: RunEvents;
  readonly accepted: AcceptedRuns;
  readonly waiters: RunWaiters;
  readonly queries: RunQueries;
  readonly follower: RunFollower;
  readonly admission: Pick<Admission, 'timeLimits'>;
  readonly standings: GoodStandings;
  /** By which nodes find runs whose prompts begin as one in their caches. */
  readonly hashPrefixes: PrefixAffinity['hashesOf'];
}

/** Accepts runs: checks the input, reserves a place in the queue, stores the run, and starts or queues its execution. */
export function createRunAcceptance(deps: RunAcceptanceDeps): (request: RunRequest) => Promise<AcceptedRun> {
  return async (request) => {
    const { work, inline } = await prepareWork(deps, request);
    const { idempotencyKey: key } = request;
    if (key === null) return (await accept(deps, request, work, null)) ?? missingAnswer();
    const hash = requestHash(request.request, work.pipeline.id, inline);
    return (
      (await findRepeated(deps, request, key, hash)) ??
      (await accept(deps, request, work, hash)) ??
      // A concurrent request stored a run under the same key.
      (await findRepeated(deps, request, key, hash)) ??
      missingAnswer()
    );
  };
}

function missingAnswer(): never {
  throw new ApiError('internal');
}

/** The project's run under the same key. Throws `idempotency_key_reused` when that was another request. */
async function findRepeated(
  { db, waiters, follower }: RunAcceptanceDeps,
  { principal: { projectId } }: RunRequest,
  key: string,
  hash: string,
): Promise<AcceptedRun | null> {
  const known = await findRunByKey(db, projectId, key);
  if (known === null) return null;
  const { id, isAsync, requestHash: knownHash } = known;
  if (knownHash !== hash) throw new ApiError('idempotency_key_reused', { id });
  return {
    id,
    isAsync,
    waitUntilEnded: () => waiters.waitUntilEnded(projectId, id),
    events: follower.follow(projectId, id, null),
  };
}

/** Store a run and have it executed. Null: the project has a run under its idempotency key. */
async function accept(
  deps: RunAcceptanceDeps,
  asked: RunRequest,
  work: RunWork,
  hash: string | null,
): Promise<AcceptedRun | null> {
  const { ledger, worker, clock, resourceType, standings, admission } = deps;
  const { principal, request, idempotencyKey } = asked;
  const { pipeline, prepared, data } = work;
  const { projectId, apiKeyId } = principal;
  const id = newId('run');
  const dataId = 'file' in data ? data.id : newId('data');
  const isAsync = request.async_run ?? false;
  const isStreamed = request.stream ?? false;
  const createdAt = clock();
  const minGpuVramMb = request.compute_requirements?.min_gpu_vram_mb ?? null;
  const known = { id, projectId, apiKeyId, pipelineId: pipeline.id, createdAt, resourceType, minGpuVramMb, isAsync };
  const prefixHashes = deps.hashPrefixes(pipeline.model, projectId, prepared.request);
  worker.reserve();
  const needs = prepared.need?.capability ?? null;
  const lease = worker.takeLease({ pipelineId: pipeline.id, needs });
  const begun = lease === null || idempotencyKey !== null ? null : beginAhead(deps, asked, work);
  let admitted: AdmittedRun | null = null;
  try {
    const { maxComputedTokens: computedTokens, contextTokens } = prepared;
    admitted = await ledger.accept({
      principal,
      estimate: { model: pipeline.id, computedTokens, contextTokens },
      row: {
        ...known,
        dataId,
        idempotencyKey,
        requestHash: hash,
        promptHead: prepared.promptHead,
        isStreamed,
        lease,
        prefixHashes,
        needs,
      },
      input: 'file' in data ? null : data,
    });
  } finally {
    if (admitted === null) {
      begun?.stop();
      standings.refused(projectId);
      worker.releaseReservation(lease);
    }
  }
  if (admitted === null) return null;
  const { priority, ticket: admissionTicket } = admitted;
  standings.admitted(projectId, { priority, limits: admission.timeLimits(admissionTicket) });
  const stored = 'file' in data ? data : { createdAt, file: data };
  const run: Run = {
    ...NEW_RUN,
    ...known,
    data: { id: dataId, createdAt: stored.createdAt, file: withSmallBytes(stored.file) },
    state: lease === null ? 'received' : 'running',
    startedAt: lease === null ? null : createdAt,
    attempts: lease === null ? 0 : 1,
    admissionTicket,
  };
  deps.accepted.add(run, withWarnings(begun?.prepared ?? prepared, asked.warnings ?? []));
  const following = follow(deps, run, isStreamed);
  if (lease === null) worker.enqueue({ ...run, needs });
  else {
    const started = { startedAt: createdAt, tries: FIRST_TRY, cancelRequested: false };
    worker.begin({ ...known, ...started, isStreamed, dataId, priority, admissionTicket });
    // Its execution ended before it could join.
    if (worker.stopped) begun?.stop();
  }
  return following;
}

/**
 * Execute a run while it is stored. Only of a project whose last run was admitted: what a refused run computes is
 * charged to no one.
 */
function beginAhead(
  { standings }: RunAcceptanceDeps,
  { principal, request }: RunRequest,
  work: RunWork,
): BegunRun | null {
  const { projectId } = principal;
  const standing = standings.of(projectId);
  if (standing === null) return null;
  const { priority, limits } = standing;
  const hasReaders = (request.async_run ?? false) || (request.stream ?? false);
  return beginRun(work.prepared, {
    tenant: projectId,
    priority,
    ...(limits.generationMs === null ? {} : { maxComputeMs: limits.generationMs }),
    alone: isAlone(FIRST_TRY),
    maxEventDelayMs: hasReaders ? 0 : EVENT_COALESCE_MS,
  });
}

/** Register for the events and the end of a run before execution, so that no event is missed. */
function follow({ events, waiters, queries, follower }: RunAcceptanceDeps, run: Run, isStreamed: boolean): AcceptedRun {
  const { id, projectId, isAsync } = run;
  let reader: EventReader | null = null;
  if (isAsync || isStreamed) {
    events.open(id);
    events.publish(id, { type: 'run', run: queries.toGet(run) });
    reader = follower.follow(projectId, id, null);
  }
  const end = isAsync ? null : waiters.waitForNextEnd(projectId, id).end;
  return { id, isAsync, waitUntilEnded: () => end ?? waiters.waitUntilEnded(projectId, id), events: reader };
}
