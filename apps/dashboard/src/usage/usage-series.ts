/** Rows of usage as the series of a chart and as totals of each key. */
import type { ErrorMetrics, LatencyMetrics, UsageRow, UsageSums } from '@gptj-cloud/sdk';
import type { ChartSeries } from '../ui/chart-scale.ts';
import { bucketAt, type UsageRange } from './usage-range.ts';

export interface KeyTotal extends UsageSums {
  readonly key: string;
  readonly name: string;
}

const NONE: UsageSums = {
  runs: 0,
  promptTokens: 0,
  generatedTokens: 0,
  computedTokens: 0,
  cachedTokens: 0,
  computeMs: 0,
};

/** Totals of each key, the largest first. */
export function totalsOf(rows: readonly UsageRow[], by: string): readonly KeyTotal[] {
  const totals = new Map<string, KeyTotal>();
  for (const row of rows) {
    const known = totals.get(row.key) ?? { ...NONE, key: row.key, name: nameOf(row, by) };
    totals.set(row.key, { ...known, ...added(known, row) });
  }
  return [...totals.values()].sort((a, b) => b.computedTokens - a.computedTokens);
}

/** Computed tokens of each key in each bucket. */
export function tokenSeries(rows: readonly UsageRow[], range: UsageRange, by: string): readonly ChartSeries[] {
  const places = new Map(range.buckets.map((bucket, index) => [bucket, index]));
  return totalsOf(rows, by).map(({ key, name }) => {
    const values = range.buckets.map(() => 0);
    for (const row of rows) {
      const at = places.get(row.bucket ?? '');
      if (row.key === key && at !== undefined) values[at] = (values[at] ?? 0) + row.computedTokens;
    }
    return { name, values };
  });
}

/** Sums of each bucket, those without usage included. */
export function bucketSums(
  rows: readonly UsageRow[],
  range: UsageRange,
): readonly (UsageSums & { readonly bucket: string })[] {
  const sums = new Map(range.buckets.map((bucket) => [bucket, { ...NONE, bucket }]));
  for (const row of rows) {
    const known = sums.get(row.bucket ?? '');
    if (known !== undefined) sums.set(known.bucket, { ...known, ...added(known, row) });
  }
  return [...sums.values()];
}

/** Percentiles of the whole time of runs; null where a bucket has none. */
export function latencySeries({ buckets }: LatencyMetrics, range: UsageRange): readonly ChartSeries[] {
  const at = new Map(buckets.map((each) => [bucketAt(each.start, range.bucket), each.total]));
  const series = (name: string, of: 'p50Ms' | 'p95Ms' | 'p99Ms'): ChartSeries => ({
    name,
    values: range.buckets.map((bucket) => at.get(bucket)?.[of] ?? null),
  });
  return [series('half of the runs', 'p50Ms'), series('95 %', 'p95Ms'), series('99 %', 'p99Ms')];
}

export function errorSeries({ buckets, total }: ErrorMetrics, range: UsageRange): readonly ChartSeries[] {
  return total.map(({ code }) => {
    const at = new Map(
      buckets.filter((each) => each.code === code).map((each) => [bucketAt(each.start, range.bucket), each.count]),
    );
    return { name: code, values: range.buckets.map((bucket) => at.get(bucket) ?? 0) };
  });
}

/** Relative growth; null when there was nothing before. */
export function changeOf(now: number, before: number): number | null {
  return before === 0 ? null : now / before - 1;
}

function added(a: UsageSums, b: UsageSums): UsageSums {
  return {
    runs: a.runs + b.runs,
    promptTokens: a.promptTokens + b.promptTokens,
    generatedTokens: a.generatedTokens + b.generatedTokens,
    computedTokens: a.computedTokens + b.computedTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    computeMs: a.computeMs + b.computeMs,
  };
}

function nameOf({ key, name }: UsageRow, by: string): string {
  if (key === 'other') return 'others';
  if (by === 'token' && key === '') return 'browser sessions';
  if (by === 'total') return 'tokens';
  return name ?? (by === 'pipeline' ? key : `deleted ${by} ${key.slice(-6)}`);
}
