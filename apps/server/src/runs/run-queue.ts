import { type AdminRunGet, ApiError, type Paginated, toTimestamp } from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../audit/audit-log.ts';
import type { Database } from '../store/db.ts';
import { countOpenRunsByState } from './run-lease-store.ts';
import { findOldestWaiting, findProjectOfOpenRun, listOpenRuns, type OpenRun } from './run-queue-store.ts';
import type { RunService } from './run-service.ts';

export interface RunQueueDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly runs: Pick<RunService, 'cancel'>;
}

export interface QueueLoad {
  readonly received: number;
  readonly running: number;
  /** Null when none waits. */
  readonly oldestWaitingMs: number | null;
}

/** The open runs of all projects and all servers on the store, for the owners of the server. */
export interface RunQueue {
  list(page: { readonly skip: number; readonly limit: number }): Promise<Paginated<AdminRunGet>>;
  load(): Promise<QueueLoad>;
  /** End a run as cancelled. Throws `not_found` for one that has ended. */
  cancel(id: string, caller: Caller): Promise<void>;
}

export function createRunQueue({ db, clock, runs }: RunQueueDeps): RunQueue {
  const counts = async () => {
    const byState = await countOpenRunsByState(db);
    return { received: byState.get('received') ?? 0, running: byState.get('running') ?? 0 };
  };
  return {
    async list({ skip, limit }) {
      const { received, running } = await counts();
      const now = clock();
      const data = (await listOpenRuns(db, { skip, limit })).map((run) => toAdminRunGet(run, now));
      return { skip, limit, total: Math.max(received + running, skip + data.length), data };
    },
    async load() {
      const oldest = await findOldestWaiting(db);
      const oldestWaitingMs = oldest === null ? null : Math.max(0, clock().getTime() - oldest.getTime());
      return { ...(await counts()), oldestWaitingMs };
    },
    async cancel(id, caller) {
      const projectId = await findProjectOfOpenRun(db, id);
      if (projectId === null) throw new ApiError('not_found', { kind: 'open run', id: id.slice(0, 100) });
      await recordAudit(db, clock(), caller, { action: 'server.run_cancel', subject: id, projectId });
      await runs.cancel(projectId, id);
    },
  };
}

function toAdminRunGet(run: OpenRun, now: Date): AdminRunGet {
  return {
    id: run.id,
    state: run.state,
    project: { id: run.projectId, name: run.projectName },
    user: { id: run.userId, username: run.username },
    pipeline_id: run.pipelineId,
    reserved_tokens: run.reservedTokens,
    priority: run.priority,
    attempts: run.attempts,
    async_run: run.isAsync,
    created_at: toTimestamp(run.createdAt),
    started_at: run.startedAt === null ? null : toTimestamp(run.startedAt),
    waited_ms: Math.max(0, (run.startedAt ?? now).getTime() - run.createdAt.getTime()),
    cancel_requested: run.cancelRequested,
  };
}
