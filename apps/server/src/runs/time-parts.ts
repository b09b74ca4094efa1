/** How a span of time is counted: its whole hours from sums, the rest from the rows themselves. */

/** A part of a span, from `since` until before `before`. */
export interface TimePart {
  readonly bucket: number;
  readonly since: Date;
  readonly before: Date;
  /** It begins and ends with an hour of UTC. */
  readonly isWhole: boolean;
}

export const HOUR_MS = 3_600_000;

const floorHour = (ms: number): number => Math.floor(ms / HOUR_MS) * HOUR_MS;

/** The bounds of `count` parts of equal length, to the millisecond: one more than the parts. */
export function equalBounds(start: Date, end: Date, count: number): readonly Date[] {
  const widthMs = (end.getTime() - start.getTime()) / count;
  return Array.from({ length: count + 1 }, (_, i) => (i === count ? end : new Date(start.getTime() + i * widthMs)));
}

/** The bounds between the first and the last one, moved to the nearest whole hours inside of the span. */
export function hourlyBounds(bounds: readonly Date[]): readonly Date[] {
  const [first, last] = [bounds[0]?.getTime() ?? 0, bounds.at(-1)?.getTime() ?? 0];
  return bounds.map((bound, i) => {
    if (i === 0 || i === bounds.length - 1) return bound;
    return new Date(Math.min(last, Math.max(first, floorHour(bound.getTime() + HOUR_MS / 2))));
  });
}

/** The parts of the buckets between bounds, numbered from `first` on. A bucket has up to three. */
export function partsOf(bounds: readonly Date[], first = 0): readonly TimePart[] {
  return bounds.slice(1).flatMap((end, i) => {
    const [since, before] = [bounds[i]?.getTime() ?? 0, end.getTime()];
    const [firstHour, lastHour] = [-floorHour(-since), floorHour(before)];
    const ranges =
      firstHour < lastHour
        ? ([
            [since, firstHour, false],
            [firstHour, lastHour, true],
            [lastHour, before, false],
          ] as const)
        : ([[since, before, false]] as const);
    return ranges.flatMap(([from, to, isWhole]) =>
      from < to ? [{ bucket: first + i, since: new Date(from), before: new Date(to), isWhole }] : [],
    );
  });
}

/** The whole hours inside of which a bucket begins or ends. */
export function splitHours(bounds: readonly Date[]): readonly TimePart[] {
  const hours = new Set(
    bounds.map((bound) => bound.getTime()).flatMap((ms) => (ms % HOUR_MS === 0 ? [] : [floorHour(ms)])),
  );
  return [...hours].map((ms) => ({ bucket: 0, since: new Date(ms), before: new Date(ms + HOUR_MS), isWhole: true }));
}
