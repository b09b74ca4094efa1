/**
 * The lifecycle of a run: its input is checked, a place in the queue is reserved, then it is stored (`run-acceptance`,
 * `run-ledger`). A stored run always ends, even if this process crashes: it is executed (`run-worker`, `run-execution`) here or after the
 * next start, and its end is stored once. Callers wait for the end (`run-waiters`) and act on the run (`run-commands`).
 */
import { randomUUID } from 'node:crypto';
import type { RunCheck } from '@gptj-cloud/protocol';
import type { PipelineRegistry } from '../generation/pipelines/pipeline-registry.ts';
import type { PlanBook } from '../metering/plans/plan-book.ts';
import type { StorageLimits } from '../metering/storage/storage-limits.ts';
import type { Admission } from '../metering/usage/admission.ts';
import { type Polling, startPolling } from '../store/polling.ts';
import type { OpenStoreSession } from '../store/store-session.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createAcceptedRuns } from './accepted-runs.ts';
import { createGoodStandings } from './good-standings.ts';
import { startLeaseSweeper } from './lease-sweeper.ts';
import { createNode, type Node } from './nodes/node.ts';
import { canCompute, findLivingNodes, findRunPlaces, isServing } from './nodes/node-store.ts';
import type { PrefixAffinity } from './nodes/prefix-affinity.ts';
import { openRemoteEvents } from './nodes/remote-events.ts';
import { createRunFollower } from './nodes/run-follower.ts';
import { createProjectFeed, type ProjectFeed } from './project-feed.ts';
import { createQueueChoice } from './queue-choice.ts';
import { type AcceptedRun, createRunAcceptance } from './run-acceptance.ts';
import { createRunCheck, type RunToCheck } from './run-check.ts';
import { findWaitingPipelines, findWaitingQueues } from './run-claim-store.ts';
import { createRunCommands, type RunCommands } from './run-commands.ts';
import { createRunEvents } from './run-events.ts';
import { performRun } from './run-execution.ts';
import { createRunGate, type GatedModel } from './run-gate.ts';
import { createRunHints } from './run-hints.ts';
import { createRunLedger, type OnRunsEnd } from './run-ledger.ts';
import { findChangedRuns } from './run-list-store.ts';
import { observeLedger, type RunObserver } from './run-observer.ts';
import { createRunQueries, type RunQueries } from './run-queries.ts';
import type { RunLimits, RunTiming } from './run-timing.ts';
import { createRunWaiters, type RunWaiters } from './run-waiters.ts';
import type { RunRequest, RunWorkDeps } from './run-work.ts';
import { RunWorker } from './run-worker.ts';
import { createUnservedPipelines } from './unserved-pipelines.ts';

export interface RunServiceDeps extends Omit<RunWorkDeps, 'isComputable'> {
  readonly limits: RunLimits;
  readonly pipelines: PipelineRegistry;
  readonly admission: Admission;
  readonly plans: PlanBook;
  readonly storage: StorageLimits;
  readonly logger: Logger;
  readonly clock: () => Date;
  /**
   * The served models by their pipelines: they come and go. Where this process executes runs, without those that other servers
   * compute.
   */
  readonly models: () => readonly GatedModel[];
  /** What the engines of this process have of what runs may need (`needOf`). */
  readonly capabilities: () => readonly string[];
  /** The compute type in replies: `cpu` or `gpu`. */
  readonly resourceType: string;
  /** No other process uses the store. */
  readonly ownsStore: boolean;
  /** Opens the connection by which the processes on the store reach each other; null: there are no others. */
  readonly openSession: OpenStoreSession | null;
  /** Where other servers on the store reach this one, when it listens; null: they do not. */
  readonly nodeUrl: () => string | null;
  readonly affinity: PrefixAffinity;
  /** Direct generations under way on its engines. */
  readonly countDirect: () => number;
  /** Gets hints of processes on the store that name no pipeline. */
  readonly onHint: (text: string) => void;
  readonly onRunsEnd: OnRunsEnd;
  readonly observer: RunObserver;
  readonly timing?: RunTiming;
}

export interface RunService
  extends Pick<RunQueries, 'get' | 'find' | 'list' | 'listSummaries' | 'input'>,
    Pick<RunWaiters, 'waitUntilEnded'>,
    RunCommands {
  /** Accept a run. Throws `ApiError` for an invalid request, before storing anything. */
  create(request: RunRequest): Promise<AcceptedRun>;
  /** What a run would do and cost, and why it would be refused. Stores and reserves nothing. */
  check(request: RunToCheck): Promise<RunCheck>;
  /** Start executing the stored runs. Returns the number of unfinished runs of an earlier process. */
  start(): Promise<number>;
  readonly worker: RunWorker;
  /** This process among those on the store. */
  readonly node: Node;
  /** After the worker has drained: end the streams of runs that go on elsewhere, or later. */
  closeStreams(): Promise<void>;
  /** Whether this process does what one of the processes that answer the API does for all on the store. */
  hasUpkeep(): Promise<boolean>;
  /** Ask the processes on the store, this one included, to act on a text: see `onHint`. */
  hint(text: string): void;
  /** Leave the other processes on the store. */
  close(): Promise<void>;
  /** The changes of each project's runs. */
  readonly feed: ProjectFeed;
}

function completeTiming({ timing = {}, ownsStore }: Pick<RunServiceDeps, 'timing' | 'ownsStore'>): Required<RunTiming> {
  const { leaseMs = 30_000, heartbeatMs = leaseMs / 3, pollMs = ownsStore ? 5_000 : sharedPollMs() } = timing;
  return { leaseMs, heartbeatMs, pollMs };
}

/** About a second: processes that start together do not poll together for ever. */
function sharedPollMs(): number {
  return 900 + 200 * Math.random();
}

/** Interval at which the elected server looks for runs that no server executes. */
const UNSERVED_POLL_MS = 30_000;
/** Interval at which readers of waiting runs ask the store for the node that executes them. */
const FOLLOW_POLL_MS = 500;

export function createRunService(deps: RunServiceDeps): RunService {
  const { db, logger, clock } = deps;
  const timing = completeTiming(deps);
  const owner = randomUUID();
  const events = createRunEvents({ name: owner.slice(0, 8), now: () => performance.now() });
  const accepted = createAcceptedRuns();
  const queries = createRunQueries(deps);
  const feed = createProjectFeed({
    clock,
    logger,
    ownsStore: deps.ownsStore,
    readSummaries: (ids) => queries.summariesOf(ids),
    findChanged: (projectIds, since, limit) => findChangedRuns(db, projectIds, since, limit),
  });
  const ledger = observeLedger(createRunLedger(deps), deps.observer, feed.changed, (ending) =>
    accepted.recordEnd(ending),
  );
  const waiters = createRunWaiters({
    queries,
    accepted,
    events,
    logger,
    ownsStore: deps.ownsStore,
    worker: () => worker,
  });
  const execution = { ...deps, ledger, events, owner, accepted, queries };
  // Null: any, as no other process would say that a pipeline is unknown.
  const claimable = (): readonly string[] | null =>
    deps.ownsStore ? null : deps.models().map(({ pipelineId }) => pipelineId);
  const gate = createRunGate({
    models: deps.models,
    slots: deps.limits.running,
    claimable,
    findWaiting: () => findWaitingPipelines(db),
    wake: () => worker.wake(),
    logger,
  });
  const worker = new RunWorker({
    db,
    limits: deps.limits,
    logger,
    clock,
    owner,
    ownsStore: deps.ownsStore,
    timing,
    gate,
    queues: createQueueChoice(gate, deps.capabilities),
    hasAffinity: deps.affinity.isOn,
    hint: (pipelineId) => hints.send(pipelineId),
    perform(run, signal) {
      feed.changed(run);
      return performRun(execution, run, signal);
    },
    onRunEnded(run) {
      // Also one that waits again.
      feed.changed(run);
      waiters.onRunEnded(run);
    },
  });
  const standings = createGoodStandings();
  const node = createNode({
    db,
    id: owner,
    url: deps.nodeUrl,
    logger,
    clock: deps.clock,
    beatMs: timing.heartbeatMs,
    load: () => ({
      slots: deps.limits.running,
      busy: worker.running + deps.countDirect(),
      isDraining: worker.isClosed,
      models: deps.models().flatMap(({ pipelineId }) => deps.pipelines.get(pipelineId)?.model ?? []),
      capabilities: deps.capabilities(),
    }),
  });
  const follower = createRunFollower({
    findPlaces: (ids) => findRunPlaces(db, ids),
    logger,
    events,
    node,
    ownsStore: deps.ownsStore,
    isExecuting: (id) => worker.isExecuting(id),
    waitUntilEnded: waiters.waitUntilEnded,
    openRemote: openRemoteEvents,
    pollMs: Math.min(FOLLOW_POLL_MS, timing.pollMs),
  });
  const session = deps.openSession?.((pipelineId) => hints.receive(pipelineId)) ?? null;
  const hints = createRunHints({
    db,
    isShared: session !== null,
    pipelines: deps.pipelines,
    wake: () => worker.wake(),
    onOther: deps.onHint,
  });
  const unserved = createUnservedPipelines({
    isElected: async () => (await session?.isElected('leases')) ?? false,
    findWaiting: () => findWaitingQueues(db),
    findServers: () => findLivingNodes(db),
    now: () => performance.now(),
  });
  const lookForUnserved = async (): Promise<void> => {
    await unserved.look();
    if (unserved.ids.length === 0) return;
    logger.warn('runs that no server executes are ended', { queues: unserved.ids });
    await worker.endUnserved(unserved.ids);
  };
  let sweeping: Polling | null = null;
  let looking: Polling | null = null;
  /** Where no server with the model runs, the run waits for one. */
  const isComputable = async (model: string, capability: string): Promise<boolean> => {
    if (deps.ownsStore || deps.capabilities().includes(capability)) return true;
    const servers = (await findLivingNodes(db)).filter((each) => isServing(each, model));
    return servers.length === 0 || servers.some((each) => canCompute(each, model, capability));
  };
  const parts = {
    ...deps,
    isComputable,
    ledger,
    worker,
    events,
    accepted,
    waiters,
    queries,
    feed,
    follower,
    standings,
    hashPrefixes: deps.affinity.hashesOf,
  };
  const { get, find, list, listSummaries, input } = queries;
  return {
    worker,
    feed,
    get,
    find,
    list,
    listSummaries,
    input,
    waitUntilEnded: waiters.waitUntilEnded,
    create: createRunAcceptance(parts),
    check: createRunCheck(parts),
    ...createRunCommands(parts),
    node,
    async closeStreams() {
      await waiters.passedOn();
      follower.close();
    },
    hasUpkeep: async () => session === null || (await session.isElected('upkeep')),
    hint: (text) => hints.send(text),
    async close() {
      await Promise.all([sweeping?.stop(), looking?.stop()]);
      await session?.close();
      await deps.affinity.close();
      await node.close();
    },
    async start() {
      if (!deps.ownsStore) {
        await node.start();
        await deps.affinity.start(owner);
      }
      if (session !== null) {
        // Connected from now on; without it, the sweeper tries again.
        await session
          .isElected('leases')
          .catch((error) => logger.warn('hints of other servers are not heard yet', { error }));
        looking = startPolling(lookForUnserved, {
          everyMs: UNSERVED_POLL_MS,
          onError: (error) => logger.warn('pipelines without a server could not be looked for', { error }),
        });
        sweeping = startLeaseSweeper({ db, logger, session, leaseMs: timing.leaseMs, wake: () => worker.wake() });
      }
      return await worker.start();
    },
  };
}
