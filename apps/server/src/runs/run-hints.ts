/**
 * Hints of one process to the others that a run or a webhook waits, so that they need not poll often. PostgreSQL delivers them in a lock of
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
  /** Gets hints that name no pipeline of this process. */
  readonly onOther: (text: string) => void;
}

export interface RunHints {
  /** A run of this pipeline waits; or another text, for `onOther` of every process. */
  send(text: string): void;
  /** A process sent it. */
  receive(text: string): void;
}

/** Shortest time between two hints of the same text. */
const HINT_MS = 50;

export function createRunHints({ db, isShared, pipelines, wake, onOther }: RunHintsDeps): RunHints {
  const due = new Set<string>();
  const notify = async (text: string): Promise<void> => {
    due.delete(text);
    // Without it, the others find the run when they poll.
    await db.execute(sql`SELECT pg_notify(${HINT_CHANNEL}, ${text})`).catch(() => undefined);
  };
  return {
    send(text) {
      if (!isShared || due.has(text)) return;
      due.add(text);
      setTimeout(() => void notify(text), HINT_MS).unref();
    },
    receive(text) {
      if (pipelines.ids.includes(text)) wake();
      else onOther(text);
    },
  };
}
