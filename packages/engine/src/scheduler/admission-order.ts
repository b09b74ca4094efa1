/**
 * Which waiting generation is admitted next, so that no tenant holds the cache.
 *
 * - `ROOM` of cells and sequences is for small generations, half of it for those of a priority above 0. The others share
 *   what is left: however long they take, a short request of another tenant begins at once.
 * - While another tenant has work or waits, a tenant's generations hold at most `SHARE` of cells and sequences together. A
 *   single generation that needs more is admitted when no other tenant has work or waits, or when it has waited for
 *   `LARGE_WAIT_MS`.
 * - A generation that does not fit lets later ones pass only as long as it would fit beside all that have passed it: it is
 *   admitted in the end.
 *
 * Generations without a tenant have no shares and leave no room.
 */
import type { Reservation } from './generation.ts';

export interface Holder {
  readonly tenant: string | null;
  readonly priority: number;
  readonly reservation: Reservation;
  /** Milliseconds, monotonic. */
  readonly arrivedAt: number;
}

/** Largest part of cells and sequences for one tenant beside others. */
const SHARE = 1 / 2;
/** Part of cells and sequences for small generations. */
const ROOM = 1 / 8;
/** Largest part of cells and sequences that a small generation needs. */
const SMALL = 1 / 32;
/** Waiting for this long raises the priority by one. */
const AGEING_MS = 10_000;
/** From this age on a generation that needs more than a share is admitted like any other. */
const LARGE_WAIT_MS = 10_000;

/** The most that one generation of a tenant can be given: all but the room. */
export function largestOf(capacity: Reservation): Reservation {
  return times(capacity, 1 - ROOM);
}

/**
 * By priority, which waiting raises, and by the tenants' shares.
 *
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
  const rank = (one: Holder): number => one.priority + age(one) / AGEING_MS;
  for (const next of [...waiting].sort((a, b) => rank(b) - rank(a))) {
    const own = active.filter(({ tenant }) => tenant === next.tenant);
    if (!isWithinShare(next, own, capacity, { hasOthers, ageMs: age(next) })) continue;
    // In a small cache one generation may need the room as well.
    const fits = active.length === 0 || fitsBeside(next, active, capacity);
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

/** Whether `next` fits beside others. What small generations hold in the room leaves the rest as it is. */
function fitsBeside(next: Holder, others: readonly Holder[], capacity: Reservation): boolean {
  const all = [...others, next];
  if (next.tenant === null) return isWithin(total(all), capacity);
  return isWithin(outsideRoom(all, capacity), times(capacity, 1 - ROOM));
}

/** What generations hold beside the part of small ones that is in the room. */
function outsideRoom(all: readonly Holder[], capacity: Reservation): Reservation {
  const limit = { cells: capacity.cells * SMALL, sequences: Math.max(1, capacity.sequences * SMALL) };
  const small = all.filter(({ reservation }) => isWithin(reservation, limit));
  const first = total(small.filter(({ priority }) => priority > 0));
  const later = atMost(total(small.filter(({ priority }) => priority <= 0)), times(capacity, ROOM / 2));
  const inRoom = atMost(sum(first, later), times(capacity, ROOM));
  const { cells, sequences } = total(all);
  return { cells: cells - inRoom.cells, sequences: sequences - inRoom.sequences };
}

/**
 * Whether `one`, which arrived before, still fits beside `next` and those that have passed it already, or waits for those
 * alone: a generation in the room does not keep it waiting longer.
 */
function leavesRoomFor(one: Holder, next: Holder, active: readonly Holder[], capacity: Reservation): boolean {
  const before = [one, ...active.filter(({ arrivedAt }) => arrivedAt > one.arrivedAt)];
  if (fitsBeside(next, before, capacity)) return true;
  if (next.tenant === null) return false;
  return isWithin(outsideRoom([...before, next], capacity), outsideRoom(before, capacity));
}

function total(holders: readonly Holder[]): Reservation {
  return holders.map(({ reservation }) => reservation).reduce(sum, { cells: 0, sequences: 0 });
}

function sum(a: Reservation, b: Reservation): Reservation {
  return { cells: a.cells + b.cells, sequences: a.sequences + b.sequences };
}

function atMost(a: Reservation, b: Reservation): Reservation {
  return { cells: Math.min(a.cells, b.cells), sequences: Math.min(a.sequences, b.sequences) };
}

function times({ cells, sequences }: Reservation, factor: number): Reservation {
  return { cells: cells * factor, sequences: sequences * factor };
}

function isWithin(held: Reservation, bound: Reservation): boolean {
  return held.cells <= bound.cells && held.sequences <= bound.sequences;
}
