import type { RunEvent } from '@gptj-cloud/protocol';

/** An event with its id: the name of the log and the number within the run, from 1 on. */
export interface NumberedEvent {
  readonly id: string;
  readonly event: RunEvent;
  /** The JSON of its data, as another node has written it. */
  readonly data?: string;
}

/** A reader of one run's events. */
export interface EventReader {
  /** Wait for the next event; null when the run's events are over or the reader was closed. */
  next(): Promise<NumberedEvent | null>;
  /** Idempotent. */
  close(): void;
}

export interface RunEventsOptions {
  /** Begins the names of the logs of this process: no other process has it. Letters and digits. */
  readonly name: string;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Events kept of one run. The stream of a reader that falls further behind ends with an error event. Default 4096. */
  readonly keptEvents?: number;
  /**
   * Log-probabilities and candidates of beam searches kept of one run, the most likely ones beside each token included. Older events are dropped. Default
   * 262,144.
   */
  readonly keptLogprobs?: number;
  /** The same of all ended runs together: the events of those that ended first are dropped. Default 1,048,576. */
  readonly keptLogprobsOfEnded?: number;
  /** Maximum number of ended runs whose events are kept for late readers, for `keptMs` each. Default 64. */
  readonly keptRuns?: number;
  /** Default five minutes. */
  readonly keptMs?: number;
}

/** Events of the runs of this process: kept while a run is live and for a while after, for any number of readers. */
export interface RunEvents {
  /** Start the event log of a run. One that has ended is dropped for a new one, to which its ids mean nothing. */
  open(runId: string): void;
  /** No effect for a run that is not open. */
  publish(runId: string, event: RunEvent): void;
  /** End the event log of a run. */
  end(runId: string): void;
  /**
   * Read from the event after id `after` on; from the beginning when it is null or an id of another log. Null when no
   * events of this run are kept.
   */
  read(runId: string, after: string | null): EventReader | null;
  /** Whether events of this run are kept and not over. */
  isOpen(runId: string): boolean;
  /** The number of open readers of this run. */
  readers(runId: string): number;
}

interface Channel {
  /** Of this log alone: a run that is executed again, here or elsewhere, has another one. */
  readonly name: string;
  /** The last events; the first of them has number `dropped` + 1. */
  readonly events: RunEvent[];
  dropped: number;
  /** Of `events`. */
  logprobs: number;
  endedAt: number | null;
  readonly wakes: Set<() => void>;
}

/** Readers are positions in a shared log, so a slow reader delays neither the others nor the run. */
export function createRunEvents(options: RunEventsOptions): RunEvents {
  const { name, now, keptEvents = 4096, keptRuns = 64, keptMs = 300_000 } = options;
  const { keptLogprobs = 2 ** 18, keptLogprobsOfEnded = 2 ** 20 } = options;
  const channels = new Map<string, Channel>();
  const ended: string[] = [];
  let endedLogprobs = 0;
  let opened = 0;

  const isFull = (): boolean => ended.length > keptRuns || (ended.length > 1 && endedLogprobs > keptLogprobsOfEnded);
  const forget = (): void => {
    for (let oldest = ended[0]; oldest !== undefined; oldest = ended[0]) {
      const channel = channels.get(oldest);
      const endedAt = channel?.endedAt ?? null;
      if (!isFull() && endedAt !== null && now() - endedAt < keptMs) return;
      endedLogprobs -= channel?.logprobs ?? 0;
      channels.delete(oldest);
      ended.shift();
    }
  };
  const wake = (channel: Channel): void => {
    for (const call of channel.wakes) call();
  };

  return {
    open(runId) {
      forget();
      const known = channels.get(runId);
      if (known !== undefined && known.endedAt === null) return;
      if (known !== undefined) {
        ended.splice(ended.indexOf(runId), 1);
        endedLogprobs -= known.logprobs;
      }
      const logName = `${name}n${opened++}`;
      channels.set(runId, { name: logName, events: [], dropped: 0, logprobs: 0, endedAt: null, wakes: new Set() });
    },
    publish(runId, event) {
      const channel = channels.get(runId);
      if (channel === undefined || channel.endedAt !== null) return;
      channel.events.push(event);
      channel.logprobs += countLogprobs(event);
      while (channel.events.length > keptEvents || (channel.events.length > 1 && channel.logprobs > keptLogprobs)) {
        const oldest = channel.events.shift();
        channel.logprobs -= oldest === undefined ? 0 : countLogprobs(oldest);
        channel.dropped++;
      }
      wake(channel);
    },
    end(runId) {
      const channel = channels.get(runId);
      if (channel === undefined || channel.endedAt !== null) return;
      channel.endedAt = now();
      ended.push(runId);
      endedLogprobs += channel.logprobs;
      wake(channel);
      forget();
    },
    read(runId, after) {
      const channel = channels.get(runId);
      return channel === undefined ? null : openReader(channel, numberOf(after, channel.name));
    },
    isOpen: (runId) => channels.get(runId)?.endedAt === null,
    readers: (runId) => channels.get(runId)?.wakes.size ?? 0,
  };
}

const TOO_SLOW: RunEvent = {
  type: 'error',
  code: 'reader_too_slow',
  message: 'this stream was read too slowly and has ended; the run continues: poll it by its id',
};

function countLogprobs(event: RunEvent): number {
  if (event.type === 'beams') return event.candidates.length;
  if (event.type !== 'token' || event.logprobs === undefined) return 0;
  return event.logprobs.reduce((count, { top }) => count + 1 + top.length, 0);
}

/** The number in an id of this log; 0 for others. */
function numberOf(id: string | null, name: string): number {
  const [, number] = id?.startsWith(`${name}-`) ? (/-(\d{1,10})$/.exec(id) ?? []) : [];
  return Number(number ?? 0);
}

function openReader(channel: Channel, after: number): EventReader {
  const { name } = channel;
  let position = after;
  let closed = false;
  let notify: (() => void) | null = null;
  const wake = (): void => notify?.();
  channel.wakes.add(wake);
  const close = (): void => {
    closed = true;
    channel.wakes.delete(wake);
    notify?.();
  };
  return {
    close,
    async next() {
      for (;;) {
        if (closed) return null;
        if (position < channel.dropped) {
          close();
          return { id: `${name}-${position}`, event: TOO_SLOW };
        }
        const event = channel.events[position - channel.dropped];
        if (event !== undefined) return { id: `${name}-${++position}`, event };
        if (channel.endedAt !== null) {
          close();
          return null;
        }
        await new Promise<void>((resolve) => {
          notify = resolve;
        });
        notify = null;
      }
    },
  };
}
