/**
 * Attributes the time of the event loop's thread to the request that uses it, whatever the code does: every callback and
 * every continuation of a promise that a request began is timed. Work in other threads is added by `chargeWork`.
 */
import { createHook } from 'node:async_hooks';
import { currentContext, withContext } from './request-context.ts';

/** Receives the milliseconds of work of one request. */
export interface WorkMeter {
  /** Whose request it is: requests of one payer wait for each other where requests of others do not wait for them. */
  readonly payer: string;
  /** The payer's weight beside others, 1 by default. */
  readonly share: number;
  add(milliseconds: number): void;
}

/** Far more than callbacks nest. An exception may leave entries behind. */
const MAX_NESTED = 1000;
/** What the server does for many requests gets this many turns for one of a client, where both wait. */
export const SERVER_SHARE = 16;
const nested: (WorkMeter | undefined)[] = [];
let current: WorkMeter | undefined;
let since = 0;

// The context of a callback or a continuation is that of the code that began it.
const hook = createHook({ before: () => begin(currentMeter()), after: end });

/** Do the work of a request. Its synchronous part and everything it begins are added to the meter. */
export function measureWork<Result>(meter: WorkMeter, work: () => Result): Result {
  hook.enable();
  begin(meter);
  try {
    return withContext({ meter }, work);
  } finally {
    end();
  }
}

/** Add work of another thread, or of another kind, to the request that the caller serves; none outside of requests. */
export function chargeWork(milliseconds: number): void {
  currentMeter()?.add(milliseconds);
}

/** The meter of the request that the caller serves; undefined outside of requests. */
export function currentMeter(): WorkMeter | undefined {
  return currentContext()?.meter;
}

/** Do work that serves many requests at once: none of them pays for it, and it waits in no client's line. */
export function serverWork<Result>(name: string, work: () => Result): Result {
  return withContext({ meter: { payer: `server:${name}`, share: SERVER_SHARE, add: () => {} } }, work);
}

function begin(meter: WorkMeter | undefined): void {
  settle();
  if (nested.length > MAX_NESTED) nested.length = 0;
  nested.push(current);
  current = meter;
}

function end(): void {
  settle();
  current = nested.pop();
}

function settle(): void {
  const now = performance.now();
  current?.add(now - since);
  since = now;
}
