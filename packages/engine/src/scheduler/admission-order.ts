/**
 * Which waiting generation is admitted next, so that no tenant holds the cache.
 *
 * - While another tenant has work or waits, a tenant's generations hold at most `SHARE` of cells and sequences together. A
 *   single generation that needs more is admitted when no other tenant has work or waits, or when it has waited for
 *   `LARGE_WAIT_MS`.
 * - A tenant alone leaves `ROOM` free for the next tenant, unless a single generation needs it.
 * - A generation that does not fit lets later ones pass only as long as it would fit beside all that have passed it: it is
 *   admitted in the end.
 */
import type { Reservation } from './generation.ts';

export interface Holder {
  readonly tenant: string | null;
  readonly reservation: Reservation;
  /** Milliseconds, monotonic. */
  readonly arrivedAt: number;
}

/** Largest part of cells and sequences for one tenant beside others. */
const SHARE = 1 / 2;
/** Part of cells and sequences that a tenant alone leaves free. */
const ROOM = 1 / 8;
/** From this age on a generation that needs more than a share is admitted like any other. */
const LARGE_WAIT_MS = 10_000;

/**
 * @param waiting in order of rank
 * @param isReady whether it is not better to wait for a prefix that is being computed
 */
export function nextAdmission<Waiting extends Holder>(
  waiting: readonly Waiting[],
  active: readonly Holder[],
  { capacity, now, isReady }: { capacity: Reservation; now: number; isReady: (one: Waiting) => boolean },
): Waiting | null {
  /** Generations of higher rank that wait for cells or sequences. */
  const passed: Waiting[] = [];
  const hasOthers = new Set([...waiting, ...active].map(({ tenant }) => tenant)).size > 1;
  const age = ({ arrivedAt }: Holder): number => now - arrivedAt;
  for (const next of waiting) {
    const own = active.filter(({ tenant }) => tenant === next.tenant);
    if (!isWithinShare(next, own, capacity, { hasOthers, ageMs: age(next) })) continue;
    const fits = isWithin(total([...active, next]), capacity);
    if (!fits || !passed.every((one) => leavesRoomFor(one, next, active, capacity))) passed.push(next);
    // Last, because it reads the whole prompt.
    else if (isReady(next)) return next;
  }
  return null;
}

/** @param own active generations of the same tenant */
function isWithinShare(
  next: Holder,
  own: readonly Holder[],
  capacity: Reservation,
  { hasOthers, ageMs }: { readonly hasOthers: boolean; readonly ageMs: number },
): boolean {
  // Without tenants there are no shares.
  if (next.tenant === null) return true;
  const held = total([...own, next]);
  if (isWithin(held, times(capacity, hasOthers ? SHARE : 1 - ROOM))) return true;
  // The tenant's first generation, which is large by itself.
  return own.length === 0 && (!hasOthers || ageMs >= LARGE_WAIT_MS);
}

/** Whether `one`, which arrived before, still fits beside `next` and those that have passed it already. */
function leavesRoomFor(one: Holder, next: Holder, active: readonly Holder[], capacity: Reservation): boolean {
  const later = active.filter(({ arrivedAt }) => arrivedAt > one.arrivedAt);
  return isWithin(total([one, next, ...later]), capacity);
}

function total(holders: readonly Holder[]): Reservation {
  return {
    cells: holders.reduce((sum, { reservation }) => sum + reservation.cells, 0),
    sequences: holders.reduce((sum, { reservation }) => sum + reservation.sequences, 0),
  };
}

function times({ cells, sequences }: Reservation, factor: number): Reservation {
  return { cells: cells * factor, sequences: sequences * factor };
}

function isWithin(held: Reservation, bound: Reservation): boolean {
  return held.cells <= bound.cells && held.sequences <= bound.sequences;
}
