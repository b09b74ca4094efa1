/**
 * Hints of one process to the others that a run waits, so that they need not poll often. PostgreSQL delivers them in a lock of
 * the whole database, so they are sent at most once in a while for each pipeline, and never for each run.
 */
import { sql } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { HINT_CHANNEL } from '../store/store-session.ts';

export interface RunHintsDeps {
  readonly db: Database;
  /** Other processes use the store. */
  readonly isShared: boolean;
  readonly pipelines: { readonly ids: readonly string[] };
  /** Look for waiting runs. */
  readonly wake: () => void;
}

export interface RunHints {
  /** A run of this pipeline waits. */
  send(pipelineId: string): void;
  /** Another process sent it. */
  receive(pipelineId: string): void;
}

/** Shortest time between two hints about a pipeline. */
const HINT_MS = 50;

export function createRunHints({ db, isShared, pipelines, wake }: RunHintsDeps): RunHints {
  const due = new Set<string>();
  const notify = async (pipelineId: string): Promise<void> => {
    due.delete(pipelineId);
    // Without it, the others find the run when they poll.
    await db.execute(sql`SELECT pg_notify(${HINT_CHANNEL}, ${pipelineId})`).catch(() => undefined);
  };
  return {
    send(pipelineId) {
      if (!isShared || due.has(pipelineId)) return;
      due.add(pipelineId);
      setTimeout(() => void notify(pipelineId), HINT_MS).unref();
    },
    receive(pipelineId) {
      if (pipelines.ids.includes(pipelineId)) wake();
    },
  };
}
