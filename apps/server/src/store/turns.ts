/**
 * The order in which callers get one of a few shared places, such as the store's connections: each payer in turn, by the
 * time its earlier turns took and by its share, so that one payer's long queue delays no other payer. Start-time fair
 * queueing (Goyal, Vin, Cheng 1996), with the time measured after the turn instead of known before.
 */
import { AsyncResource } from 'node:async_hooks';

/** Who waits, and the weight of its turns beside those of others. */
export interface Payer {
  readonly name: string;
  readonly share: number;
}

export interface TurnOptions {
  /** Places that are taken at the same time. */
  readonly places: number;
  /** Longest wait for a place. */
  readonly timeoutMs: number;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

export interface Turns {
  /** Calls `begin` when a place is free, in the caller's async context; `leave` frees it, once. Calls `expire` instead after the timeout. */
  enter(payer: Payer, begin: (leave: () => void) => void, expire: () => void): void;
  /** Callers without a place. */
  readonly waiting: number;
}

interface Waiting {
  readonly begin: (leave: () => void) => void;
  readonly timer: NodeJS.Timeout;
}

/** A payer with callers that wait or hold a place. */
interface Line {
  readonly payer: Payer;
  /** Virtual time at which its next turn starts. */
  start: number;
  holds: number;
  readonly callers: Set<Waiting>;
}

export function createTurns({ places, timeoutMs, now = () => performance.now() }: TurnOptions): Turns {
  const lines = new Map<string, Line>();
  let free = places;
  let waiting = 0;
  /** The start of the turn that began last: a payer that comes back has saved nothing up. */
  let virtualTime = 0;

  const lineOf = (payer: Payer): Line => {
    const found = lines.get(payer.name);
    if (found !== undefined) return found;
    const line: Line = { payer, start: virtualTime, holds: 0, callers: new Set() };
    lines.set(payer.name, line);
    return line;
  };
  /** Lines are few: each has a caller that waits, or holds a place, or used one a short while ago. */
  const next = (): Line | null => {
    let first: Line | null = null;
    for (const line of lines.values()) {
      if (line.callers.size > 0) {
        if (first === null || line.start < first.start) first = line;
      } else if (line.holds === 0 && line.start <= virtualTime) lines.delete(line.payer.name);
    }
    return first;
  };
  const advance = (): void => {
    while (free > 0) {
      const line = next();
      if (line === null) return;
      const [caller] = line.callers;
      if (caller === undefined) return;
      line.callers.delete(caller);
      clearTimeout(caller.timer);
      waiting -= 1;
      grant(line, caller);
    }
  };
  const grant = (line: Line, caller: Waiting): void => {
    free -= 1;
    line.holds += 1;
    virtualTime = Math.max(virtualTime, line.start);
    line.start = virtualTime;
    const began = now();
    let hasLeft = false;
    caller.begin(() => {
      if (hasLeft) return;
      hasLeft = true;
      free += 1;
      line.holds -= 1;
      line.start += (now() - began) / line.payer.share;
      advance();
    });
  };

  return {
    enter(payer, begin, expire) {
      const line = lineOf(payer);
      const caller: Waiting = {
        // A turn begins when another one ends: without this, in the async context of the other.
        begin: AsyncResource.bind(begin),
        timer: setTimeout(
          AsyncResource.bind(() => {
            line.callers.delete(caller);
            waiting -= 1;
            expire();
          }),
          timeoutMs,
        ),
      };
      caller.timer.unref();
      line.callers.add(caller);
      waiting += 1;
      advance();
    },
    get waiting() {
      return waiting;
    },
  };
}
