/** Metrics of a task over its documents, with standard errors equal to those of lm-evaluation-harness. */
import type { MetricName } from '../tasks/task.ts';
import { type BootstrapOptions, bootstrapPerplexityError } from './bootstrap.ts';
import type { DocumentItems, MetricItem } from './document-result.ts';
import { mean, sampleDeviation } from './mean.ts';

export interface MetricValue {
  readonly metric: MetricName;
  readonly value: number;
  /** Null where the harness gives none, and for one document. */
  readonly standardError: number | null;
}

/** Whether a larger value is better. */
export function isHigherBetter(metric: MetricName): boolean {
  return metric.startsWith('acc') || metric === 'exact_match';
}

export async function aggregate(
  metrics: readonly MetricName[],
  documents: readonly DocumentItems[],
  bootstrap: BootstrapOptions = {},
): Promise<readonly MetricValue[]> {
  const values: MetricValue[] = [];
  for (const metric of metrics) {
    const items = documents.flatMap((document) => {
      const item = document[metric];
      return item === undefined ? [] : [item];
    });
    values.push({ metric, ...(await aggregateOne(metric, items, bootstrap)) });
  }
  return values;
}

async function aggregateOne(
  metric: MetricName,
  items: readonly MetricItem[],
  bootstrap: BootstrapOptions,
): Promise<Omit<MetricValue, 'metric'>> {
  const numbers = items.filter((item) => typeof item === 'number');
  if (metric === 'perplexity') {
    const standardError = numbers.length < 2 ? null : await bootstrapPerplexityError(numbers, bootstrap);
    return { value: Math.exp(-mean(numbers)), standardError };
  }
  if (numbers.length === items.length) {
    const standardError = numbers.length < 2 ? null : sampleDeviation(numbers) / Math.sqrt(numbers.length);
    return { value: mean(numbers), standardError };
  }
  const sums = items.filter((item) => typeof item === 'object');
  const logLikelihood = sums.reduce((sum, item) => sum + item.logLikelihood, 0);
  const weight = sums.reduce((sum, item) => sum + item.weight, 0);
  const rate = -logLikelihood / weight;
  return { value: metric === 'bits_per_byte' ? rate / Math.LN2 : Math.exp(rate), standardError: null };
}
