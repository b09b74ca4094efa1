/**
 * Reads the events of a run at the node that executes it, whichever that is: from the log of this process, or over HTTP from
 * that of another. Nothing is read of a run that no client follows.
 *
 * A reader is **waiting** (the run waits in the queue, or its node is gone and its lease has not ended yet: the store is asked
 * now and then) or **reading** one log. Back to waiting when the log ends before the run does. It is over after the event of
 * the run's end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isTerminal, type RunGet } from '@gptj-cloud/protocol';
import { batched } from '../../store/batched.ts';
import { isOutage } from '../../store/store-outage.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { EventReader, NumberedEvent, RunEvents } from '../run-events.ts';
import { createAttemptMerge } from './attempt-merge.ts';
import type { Node } from './node.ts';
import { eventsSubject } from './node-signature.ts';
import type { RunPlace } from './node-store.ts';
import type { OpenRemoteEvents } from './remote-events.ts';

export interface RunFollowerDeps {
  /** For each run its place; null for one that is gone. */
  readonly findPlaces: (ids: readonly string[]) => Promise<readonly (RunPlace | null)[]>;
  readonly logger: Pick<Logger, 'warn'>;
  readonly events: Pick<RunEvents, 'read' | 'isOpen'>;
  readonly node: Pick<Node, 'id' | 'sign'>;
  /** No other process uses the store. */
  readonly ownsStore: boolean;
  /** Whether this process executes a run at the moment. */
  readonly isExecuting: (runId: string) => boolean;
  /** The run when it has ended. */
  readonly waitUntilEnded: (projectId: string, id: string) => Promise<RunGet>;
  readonly openRemote: OpenRemoteEvents;
  /** Interval at which the store is asked where a waiting run is. */
  readonly pollMs: number;
}

export interface RunFollower {
  /** The events of a run after the one with id `after`; only the event of its end where no others are kept. */
  follow(projectId: string, id: string, after: string | null): EventReader;
  /** The number of open readers in this process. */
  readers(id: string): number;
  /** This node stops: end the streams of runs that go on. Those of runs that ended here are read to their end. */
  close(): void;
}

interface FollowingReader extends EventReader {
  /** End, unless the run has ended here. */
  leave(): void;
}

interface Log {
  readonly reader: EventReader;
  /** In the memory of this process. */
  readonly isHere: boolean;
  /** The node of the log; null: the run waits, and may be executed elsewhere. */
  readonly node: string | null;
  /** Whether the run had ended when the log was opened. */
  readonly isOfEnded: boolean;
  /** The next event, asked for and not there yet. */
  pending: Promise<NumberedEvent | null> | null;
}

/** Another node executes the run now, or none. */
const MOVED = Symbol('moved');
const MAX_PAUSE_MS = 5_000;
/** A living node that fails this many times in a row is not asked again for the events of a run that has ended. */
const MAX_FAILURES = 5;

export function createRunFollower(deps: RunFollowerDeps): RunFollower {
  const { events, ownsStore, findPlaces } = deps;
  const open = new Set<() => void>();
  const counts = new Map<string, number>();
  const findPlace = batched('find-run-places', findPlaces);
  const warned = new Set<string>();
  const warnOnce = (node: string, url: string, reason: string): void => {
    if (warned.has(node)) return;
    warned.add(node);
    deps.logger.warn('events of another server could not be read: check NODE_URL there', { node, url, reason });
  };
  const count = (id: string, change: number): void => {
    const now = (counts.get(id) ?? 0) + change;
    if (now === 0) counts.delete(id);
    else counts.set(id, now);
  };
  const openReader = (projectId: string, id: string, after: string | null): FollowingReader => {
    if (!ownsStore) return followAnywhere({ ...deps, findPlace, warnOnce }, { projectId, id, after });
    const kept = events.read(id, after);
    const reader = kept ?? endOnly(() => deps.waitUntilEnded(projectId, id));
    return {
      ...reader,
      leave() {
        if (kept === null || events.isOpen(id)) reader.close();
      },
    };
  };
  return {
    follow(projectId, id, after) {
      const reader = openReader(projectId, id, after);
      const leave = (): void => reader.leave();
      open.add(leave);
      count(id, 1);
      return {
        next: () => reader.next(),
        close() {
          reader.close();
          if (open.delete(leave)) count(id, -1);
        },
      };
    },
    readers: (id) => counts.get(id) ?? 0,
    close() {
      for (const leave of open) leave();
    },
  };
}

/** For a run whose events are not kept. */
function endOnly(waitUntilEnded: () => Promise<RunGet>): EventReader {
  let read = false;
  let end = (): void => {};
  const closed = new Promise<null>((resolve) => {
    end = () => resolve(null);
  });
  return {
    close() {
      read = true;
      end();
    },
    async next() {
      if (read) return null;
      read = true;
      const ended = waitUntilEnded().then((run): NumberedEvent => ({ id: 'end', event: { type: 'run', run } }));
      return await Promise.race([ended, closed]);
    },
  };
}

interface FollowDeps extends RunFollowerDeps {
  readonly findPlace: (id: string) => Promise<RunPlace | null>;
  readonly warnOnce: (node: string, url: string, reason: string) => void;
}

interface Followed {
  readonly projectId: string;
  readonly id: string;
  readonly after: string | null;
}

function followAnywhere(deps: FollowDeps, { projectId, id, after }: Followed): FollowingReader {
  const { events, node, findPlace, pollMs } = deps;
  const closed = new AbortController();
  const { signal } = closed;
  const merge = createAttemptMerge();
  const ready: NumberedEvent[] = [];
  let lastId = after;
  let isOver = false;
  const leaving = new AbortController();
  /** The node whose log of the ended run lacks its end. One that ended while the run went on may have a later attempt. */
  let cutShortAt: string | null = null;
  let failures = 0;
  /** The node that failed last, and how often in a row. */
  let failing: { readonly node: string; readonly times: number } | null = null;
  const noteFailure = (at: string): void => {
    failures++;
    failing = { node: at, times: (failing?.node === at ? failing.times : 0) + 1 };
  };

  const readHere = (owner: string | null, isOfEnded = false): Log | null => {
    const reader = events.read(id, lastId);
    return reader === null ? null : { reader, isHere: true, node: owner, isOfEnded, pending: null };
  };
  const readEndedHere = (): Log | null => (events.isOpen(id) ? null : readHere(node.id, true));
  const readEnd = (): Log => ({
    reader: endOnly(() => deps.waitUntilEnded(projectId, id)),
    isHere: false,
    node: node.id,
    isOfEnded: true,
    pending: null,
  });
  // Now, so that a log that ends soon is not dropped before it is read.
  let log = deps.isExecuting(id) ? readHere(node.id) : null;
  const wait = async (): Promise<void> => {
    const ms = Math.min(MAX_PAUSE_MS, pollMs * 2 ** failures);
    await sleep(ms, undefined, { signal: leaving.signal, ref: false }).catch(() => undefined);
  };
  const readThere = async (there: string, { url, hasEnded }: RunPlace): Promise<Log | null> => {
    const run = { projectId, runId: id };
    const signed = node.sign({ node: there, subject: eventsSubject(run) });
    if (url === null || signed === null) return null;
    const found = await deps.openRemote({ url, node: there, run, signed, after: lastId, signal });
    if (found.type === 'reader')
      return { reader: found.reader, isHere: false, node: there, isOfEnded: hasEnded, pending: null };
    if (found.type === 'not_kept') return readEnd();
    if (found.type === 'unreachable' && !signal.aborted) {
      noteFailure(there);
      deps.warnOnce(there, url, found.reason);
    }
    return null;
  };
  /** The log to read now; null when the run waits, or its node is gone. */
  const findLog = async (): Promise<Log | null> => {
    if (deps.isExecuting(id)) return readHere(node.id) ?? readEnd();
    const place = await findPlace(id);
    if (place === null || !place.isLogged) return readEnd();
    if (place.node === null) return place.hasEnded ? readEnd() : readHere(null);
    const timesFailed = failing?.node === place.node ? failing.times : 0;
    if (place.hasEnded && (cutShortAt === place.node || timesFailed >= MAX_FAILURES)) return readEnd();
    if (place.node === node.id) return place.hasEnded ? (readHere(null, true) ?? readEnd()) : null;
    const found = await readThere(place.node, place);
    // That node alone has the events: while it is alive, it may be reached again.
    const mayReturn = place.url !== null && failing?.node === place.node;
    return found ?? (place.hasEnded && !mayReturn ? readEnd() : null);
  };
  /** Resolves when a run that waits here is executed by another node. */
  const waitUntilMoved = async (until: AbortSignal): Promise<void> => {
    while (!until.aborted) {
      await sleep(pollMs, undefined, { signal: until, ref: false }).catch(() => undefined);
      if (until.aborted || deps.isExecuting(id)) return;
      const place = await findPlace(id).catch(() => null);
      if (place !== null && place.node !== null && place.node !== node.id) return;
    }
  };
  const nextOf = async (from: Log): Promise<NumberedEvent | null | typeof MOVED> => {
    from.pending ??= from.reader.next();
    if (from.node !== null || deps.isExecuting(id)) return await from.pending;
    const settled = new AbortController();
    const moved = waitUntilMoved(settled.signal).then((): typeof MOVED => MOVED);
    const first = await Promise.race([from.pending, moved]);
    settled.abort();
    return first === MOVED && deps.isExecuting(id) ? await from.pending : first;
  };
  /** The next event of the run; null when its log ended, broke, or is no longer the run's. */
  const read = async (from: Log): Promise<NumberedEvent | null> => {
    let found: NumberedEvent | null | typeof MOVED;
    let isBroken = false;
    try {
      found = await nextOf(from);
    } catch (error) {
      // Of another node: the connection broke.
      if (from.node === null || from.node === node.id) throw error;
      isBroken = true;
      noteFailure(from.node);
      found = null;
    }
    if (found !== MOVED) from.pending = null;
    if (found !== null && found !== MOVED && !isMovedOn(found)) return found;
    cutShortAt = found === MOVED || isBroken || !from.isOfEnded ? null : (from.node ?? node.id);
    from.reader.close();
    log = null;
    return null;
  };
  const take = (): NumberedEvent | undefined => {
    const event = ready.shift();
    isOver ||= event !== undefined && isLast(event);
    return event;
  };

  const close = (): void => {
    isOver = true;
    leaving.abort();
    closed.abort();
    log?.reader.close();
    log = null;
  };

  return {
    close,
    leave() {
      leaving.abort();
      // The run may have ended here while the reader looked for its log.
      log ??= readEndedHere();
      if (log?.isHere !== true || events.isOpen(id)) close();
    },
    async next() {
      for (;;) {
        const event = take();
        if (event !== undefined) return event;
        if (isOver) return null;
        if (log === null) {
          const next = await findLog().catch(waitForStore);
          // Closed meanwhile, or leaving.
          if (isOver || log !== null) next?.reader.close();
          else log = next;
        }
        const found = log === null ? null : await read(log);
        if (isOver) return null;
        if (found === null) {
          if (leaving.signal.aborted) close();
          else await wait();
          continue;
        }
        failures = 0;
        failing = null;
        cutShortAt = null;
        lastId = found.id;
        ready.push(...merge.push(found));
      }
    },
  };
}

/** While the store cannot be asked, the stream goes on. */
function waitForStore(error: unknown): null {
  if (isOutage(error)) return null;
  throw error;
}

/** A node that loses a run ends its log with this event, which `run-waiters` writes. */
function isMovedOn({ event }: NumberedEvent): boolean {
  return event.type === 'error' && event.code === 'stream_ended';
}

function isLast({ event }: NumberedEvent): boolean {
  return event.type === 'error' || (event.type === 'run' && isTerminal(event.run.run_state));
}
