/** The arithmetic of charts: sums of stacks, round ticks, and a sentence for readers who do not see the marks. */

export interface ChartSeries {
  readonly name: string;
  /** One value for each place on the x axis; null: none known. */
  readonly values: readonly (number | null)[];
}

/** A range behind the marks, such as p50 to p95. */
export interface ChartBand {
  readonly name: string;
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

/** Three round steps from zero that reach `max`: `[0, 20, 40, 60]`. Whole numbers for counts. */
export function ticksFor(max: number): readonly number[] {
  if (!(max > 0)) return [0, 1];
  const raw = max / 3;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw - power * 1e-9);
  const each = step ?? 10 * power;
  const count = Math.max(1, Math.ceil(max / each - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => Number((index * each).toPrecision(12)));
}

/** For each series the lower and upper edge at each place, stacked in the order of the series. */
export function stackOf(series: readonly ChartSeries[]): readonly (readonly (readonly [number, number])[])[] {
  const tops = (series[0]?.values ?? []).map(() => 0);
  return series.map(({ values }) =>
    values.map((value, index) => {
      const from = tops[index] ?? 0;
      const to = from + (value ?? 0);
      tops[index] = to;
      return [from, to] as const;
    }),
  );
}

/** The greatest value that the marks reach. */
export function maxOf(
  series: readonly ChartSeries[],
  isStacked: boolean,
  band: readonly (number | null)[] = [],
): number {
  const tops = isStacked
    ? (stackOf(series).at(-1) ?? []).map(([, to]) => to)
    : series.flatMap(({ values }) => values.map((value) => value ?? 0));
  return Math.max(0, ...tops, ...band.map((value) => value ?? 0));
}

/** `Tokens per day, 1 Nov to 7 Nov: 61,204 in all, most on 3 Nov (20,110).` */
export function summaryOf(
  label: string,
  places: readonly string[],
  series: readonly ChartSeries[],
  format: (value: number) => string,
): string {
  const first = places[0];
  const last = places.at(-1);
  if (first === undefined || last === undefined) return `${label}: no values.`;
  const sentences = series.map(({ name, values }) => {
    const known = values.flatMap((value, index) => (value === null ? [] : [{ value, index }]));
    const highest = known.reduce(
      (best, each) => (best === null || each.value > best.value ? each : best),
      null as (typeof known)[number] | null,
    );
    if (highest === null || highest.value === 0) return `${name}: nothing`;
    return `${name}: most at ${places[highest.index]} (${format(highest.value)})`;
  });
  return `${label}, ${first} to ${last}. ${sentences.join('. ')}.`;
}

/** Indexes of the places whose names fit below the axis: the first, the last, and some between at equal distances. */
export function shownPlaces(count: number, maxShown: number): readonly number[] {
  if (count <= maxShown) return Array.from({ length: count }, (_, index) => index);
  const step = Math.ceil((count - 1) / Math.max(1, maxShown - 1));
  const shown = Array.from({ length: Math.floor((count - 1) / step) + 1 }, (_, index) => index * step);
  return shown;
}

/** Beyond six series the smallest are summed as "others". */
export function withOthers(series: readonly ChartSeries[], maxSeries = 6): readonly ChartSeries[] {
  if (series.length <= maxSeries) return series;
  const sumOf = ({ values }: ChartSeries): number => values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  const sorted = [...series].sort((a, b) => sumOf(b) - sumOf(a));
  const rest = sorted.slice(maxSeries - 1);
  const values = (rest[0]?.values ?? []).map((_, index) =>
    rest.reduce((sum, each) => sum + (each.values[index] ?? 0), 0),
  );
  return [...sorted.slice(0, maxSeries - 1), { name: `${rest.length} others`, values }];
}
