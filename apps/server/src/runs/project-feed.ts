/**
 * The changes of a project's runs, for any number of readers.
 *
 * Nothing is kept of a project without readers. A reader holds the runs that changed since it read last, each once with its
 * latest state, up to a bound: beyond it, and when the store could not be read, it gets `resync` and lists the runs again.
 * Changes by this process are reported as they happen; those by other processes that share the store are found by polling.
 */
import type { ProjectEvent, RunSummary } from '@gptj-cloud/protocol';
import { startPolling } from '../store/polling.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface ProjectFeedDeps {
  /** The present state of runs, those of deleted ones left out. */
  readonly readSummaries: (ids: readonly string[]) => Promise<readonly ProjectRun[]>;
  /** Ids of the runs of these projects that changed since then, at most `limit`. */
  readonly findChanged: (projectIds: readonly string[], since: Date, limit: number) => Promise<readonly string[]>;
  readonly clock: () => Date;
  readonly logger: Logger;
  /** No other process uses the store: it need not be polled. */
  readonly ownsStore: boolean;
  /** Time in which changes are collected. Default 50 ms. */
  readonly collectMs?: number;
  /** Default 1 s. */
  readonly pollMs?: number;
}

export interface ProjectRun {
  readonly projectId: string;
  readonly summary: RunSummary;
}

/** A reader of one project's changes. */
export interface ProjectReader {
  /** Waits for the next event; null when the reader or the feed was closed. The first event is `resync`. */
  next(): Promise<ProjectEvent | null>;
  /** Idempotent. */
  close(): void;
}

export interface ProjectFeed {
  /** A run was accepted, began, ended or was deleted. */
  changed(run: { readonly projectId: string; readonly id: string }): void;
  read(projectId: string): ProjectReader;
  /** Find the changes of other processes. */
  poll(): Promise<void>;
  /** End every reader. Idempotent. */
  close(): Promise<void>;
}

interface Reader {
  /** Null: the run was deleted. */
  readonly changes: Map<string, RunSummary | null>;
  mustResync: boolean;
  isClosed: boolean;
  wake: () => void;
}

/** Changes that a reader holds: a list shows as many runs or fewer. */
const MAX_HELD = 500;
/** Of one round of polling, over all projects with readers. */
const MAX_POLLED = 2_000;
/** Runs whose last reported state is remembered, to report each change of another process once. */
const MAX_REPORTED = 5_000;
/** Clocks of servers differ by less. */
const OVERLAP_MS = 10_000;

export function createProjectFeed(deps: ProjectFeedDeps): ProjectFeed {
  const { readSummaries, findChanged, clock, logger, ownsStore, collectMs = 50, pollMs = 1_000 } = deps;
  const projects = new Map<string, Set<Reader>>();
  const reported = new Map<string, string>();
  /** Changed runs with their project; null where it is not known. */
  let collected = new Map<string, string | null>();
  let timer: NodeJS.Timeout | undefined;
  let reading: Promise<void> = Promise.resolve();
  let polledAt = clock();
  let isClosed = false;

  const resyncAll = (): void => {
    for (const readers of projects.values()) {
      for (const reader of readers) {
        reader.mustResync = true;
        reader.wake();
      }
    }
  };
  const hand = (projectId: string, id: string, summary: RunSummary | null): void => {
    for (const reader of projects.get(projectId) ?? []) {
      reader.changes.set(id, summary);
      if (reader.changes.size > MAX_HELD) reader.mustResync = true;
      reader.wake();
    }
  };
  const report = ({ projectId, summary }: ProjectRun): void => {
    const state = `${summary.run_state} ${summary.attempts}`;
    if (reported.get(summary.id) === state) return;
    reported.delete(summary.id);
    reported.set(summary.id, state);
    const [oldest] = reported.keys();
    if (reported.size > MAX_REPORTED && oldest !== undefined) reported.delete(oldest);
    hand(projectId, summary.id, summary);
  };
  const reportDeleted = (id: string, projectId: string | null): void => {
    reported.delete(id);
    if (projectId !== null) hand(projectId, id, null);
  };
  const readCollected = async (): Promise<void> => {
    const changed = collected;
    const ids = [...changed.keys()];
    collected = new Map();
    try {
      for (let at = 0; at < ids.length; at += MAX_HELD) {
        const part = ids.slice(at, at + MAX_HELD);
        const stored = await readSummaries(part);
        for (const run of stored) report(run);
        const found = new Set(stored.map(({ summary }) => summary.id));
        for (const id of part.filter((each) => !found.has(each))) reportDeleted(id, changed.get(id) ?? null);
      }
    } catch (error) {
      logger.warn('changed runs could not be read', { error });
      resyncAll();
    }
  };
  const collect = (id: string, projectId: string | null): void => {
    collected.set(id, projectId ?? collected.get(id) ?? null);
    timer ??= setTimeout(() => {
      timer = undefined;
      // One round after the other, so that an earlier state never follows a later one.
      reading = reading.then(readCollected);
    }, collectMs);
  };
  const poll = async (): Promise<void> => {
    if (projects.size === 0) {
      polledAt = clock();
      return;
    }
    const since = new Date(polledAt.getTime() - OVERLAP_MS);
    const now = clock();
    const ids = await findChanged([...projects.keys()], since, MAX_POLLED);
    polledAt = now;
    if (ids.length === MAX_POLLED) resyncAll();
    for (const id of ids) collect(id, null);
  };
  const polling = ownsStore
    ? null
    : startPolling(poll, {
        everyMs: pollMs,
        onError: (error) => logger.warn('changes of runs could not be polled', { error }),
      });

  return {
    changed({ projectId, id }) {
      if (projects.has(projectId)) collect(id, projectId);
    },
    poll,
    read(projectId) {
      const reader: Reader = { changes: new Map(), mustResync: true, isClosed, wake() {} };
      const readers = projects.get(projectId) ?? new Set();
      if (!isClosed) projects.set(projectId, readers.add(reader));
      return {
        close() {
          reader.isClosed = true;
          reader.wake();
          readers.delete(reader);
          if (readers.size === 0 && projects.get(projectId) === readers) projects.delete(projectId);
        },
        async next() {
          for (;;) {
            if (reader.isClosed) return null;
            const event = takeEvent(reader);
            if (event !== null) return event;
            await new Promise<void>((resolve) => {
              reader.wake = resolve;
            });
            reader.wake = () => {};
          }
        },
      };
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      for (const readers of projects.values()) {
        for (const reader of readers) {
          reader.isClosed = true;
          reader.wake();
        }
      }
      projects.clear();
      await polling?.stop();
      await reading;
    },
  };
}

function takeEvent(reader: Reader): ProjectEvent | null {
  const { changes } = reader;
  if (reader.mustResync) {
    reader.mustResync = false;
    changes.clear();
    return { type: 'resync' };
  }
  const [first] = changes;
  if (first === undefined) return null;
  const [id, run] = first;
  changes.delete(id);
  return run === null ? { type: 'deleted', id } : { type: 'run', run };
}
