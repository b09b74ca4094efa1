/** How much the shortest time of a size grows with each evaluation of that size, so that it follows lasting changes. */
const AGEING = 1.01;
/** A size that did not occur in this many evaluations is forgotten: a single slow one of it may say nothing. */
const MAX_AGE = 100;
/** A size that was measured less often may have been slow by chance: it is believed only where it is fast. */
const MIN_MEASUREMENTS = 3;
/** Number of sizes that differ by a factor of two. */
const SIZES = 16;

interface Shortest {
  readonly steps: number;
  readonly ms: number;
  /** Number of the newest evaluation of the size. */
  readonly seenAt: number;
  /** Number of evaluations of the size. */
  readonly count: number;
}

/**
 * The time of an evaluation of decoding steps as a fixed part, the weights being read once, and a part for each step: the
 * least-squares line over the shortest evaluations of each size. The shortest, because other processes make evaluations
 * longer at random, many times over: an average over those is a line of no meaning.
 */
export class DecodeCost {
  /** By the binary logarithm of the number of steps. */
  readonly #shortest: (Shortest | undefined)[] = new Array(SIZES);
  #evaluations = 0;
  /** The sizes that are believed, by the milliseconds of a further step: until the next evaluation. */
  #believed: { readonly stepMs: number; readonly points: readonly Shortest[] } | null = null;

  add(steps: number, ms: number): void {
    this.#believed = null;
    const seenAt = ++this.#evaluations;
    const size = Math.min(SIZES - 1, Math.floor(Math.log2(steps)));
    const known = this.#shortest[size];
    const isNew = known === undefined || this.#isOld(known);
    const count = isNew ? 1 : known.count + 1;
    const isShorter = isNew || ms / steps <= (known.ms / known.steps) * AGEING;
    this.#shortest[size] = isShorter
      ? { steps, ms, seenAt, count }
      : { ...known, ms: known.ms * AGEING, seenAt, count };
  }

  /**
   * Milliseconds of an evaluation of `steps` steps, by the measured sizes on both sides of it: up to some size, further
   * steps cost a large model almost nothing. Null before the first evaluation.
   *
   * @param stepMs milliseconds of a further step while a single size is known
   */
  ms(steps: number, stepMs: number): number | null {
    if (this.#believed?.stepMs !== stepMs) this.#believed = { stepMs, points: this.#believe(stepMs) };
    return interpolate(this.#believed.points, steps, stepMs);
  }

  #believe(stepMs: number): readonly Shortest[] {
    const points = this.#recent();
    const sure = points.filter(({ count }) => count >= MIN_MEASUREMENTS);
    if (sure.length === 0) return points;
    return points.filter(
      (point) => point.count >= MIN_MEASUREMENTS || point.ms <= interpolate(sure, point.steps, stepMs)!,
    );
  }

  /** Null while all evaluations were about as large, or more steps took less time. */
  get line(): { readonly fixedMs: number; readonly stepMs: number } | null {
    const points = this.#recent();
    if (points.length < 2) return null;
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const steps = mean(points.map((point) => point.steps));
    const ms = mean(points.map((point) => point.ms));
    const variance = mean(points.map((point) => (point.steps - steps) ** 2));
    const stepMs = mean(points.map((point) => (point.steps - steps) * (point.ms - ms))) / variance;
    return stepMs > 0 ? { stepMs, fixedMs: Math.max(0, ms - stepMs * steps) } : null;
  }

  /** The sizes that occurred lately, ascending. */
  #recent(): readonly Shortest[] {
    return this.#shortest.filter((point) => point !== undefined && !this.#isOld(point)) as readonly Shortest[];
  }

  #isOld({ seenAt }: Shortest): boolean {
    return this.#evaluations - seenAt > MAX_AGE;
  }
}

/** Between two points, or beyond the last two; with `stepMs` for a further step where there is only one. */
function interpolate(points: readonly Shortest[], steps: number, stepMs: number): number | null {
  const above = points.findIndex((point) => point.steps >= steps);
  const after = above < 0 ? points.length - 1 : Math.max(1, above);
  const [from, to] = [points[after - 1], points[after]];
  const known = to ?? from;
  if (known === undefined) return null;
  const slope = from === undefined || to === undefined ? stepMs : (to.ms - from.ms) / (to.steps - from.steps);
  const ms = known.ms + (steps - known.steps) * Math.max(0, slope);
  // Fewer steps take no less than their share.
  return steps < known.steps ? Math.max(ms, (known.ms * steps) / known.steps) : ms;
}
