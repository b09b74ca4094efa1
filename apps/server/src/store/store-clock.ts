/**
 * The time of the database, for processes that share it: their own clocks differ, and are set while they run. Between two looks at the
 * database it follows the monotonic clock of the process.
 */
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from './db.ts';
import { type Polling, startPolling } from './polling.ts';
import { returnedRows } from './returned-rows.ts';

export interface StoreClock {
  readonly now: () => Date;
  /** Look at the database now. Rejects while it cannot be reached; the clock goes on. */
  readonly adjust: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface StoreClockOptions {
  /** Milliseconds, monotonic. Default: those of the process. */
  readonly monotonic?: () => number;
  /** Interval of the looks; null: none but those of `adjust`. Default: a minute. */
  readonly everyMs?: number | null;
}

/**
 * A look that takes longer says too little: when within that time the database read its clock is not known. The first one counts
 * however long it takes.
 */
const MAX_LOOK_MS = 2_000;
const rowSchema = z.object({ now: z.coerce.number() });

/** Resolves when it has the time. Looks at the database fail silently: an outage is reported elsewhere. */
export async function openStoreClock(db: Database, options: StoreClockOptions = {}): Promise<StoreClock> {
  const { monotonic = () => performance.now(), everyMs = 60_000 } = options;
  const look = async (): Promise<{ readonly base: number; readonly tookMs: number }> => {
    const asked = monotonic();
    const rows = await db.execute(sql`SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now`);
    const answered = monotonic();
    const { now } = returnedRows(rows, rowSchema)[0]!;
    return { base: now - (asked + answered) / 2, tookMs: answered - asked };
  };
  let { base } = await look();
  const adjust = async (): Promise<void> => {
    const found = await look();
    if (found.tookMs <= MAX_LOOK_MS) base = found.base;
  };
  const polling: Polling | null = everyMs === null ? null : startPolling(adjust, { everyMs, onError: () => {} });
  return {
    now: () => new Date(base + monotonic()),
    adjust,
    async close() {
      await polling?.stop();
    },
  };
}
