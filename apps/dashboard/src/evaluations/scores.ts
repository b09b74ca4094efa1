/** The scores of an evaluation as texts and figures. */
import { SCORE_COLUMNS } from '@gptj-cloud/model';
import type { Evaluation, EvaluationMetric, EvaluationTask } from '@gptj-cloud/sdk';

type Form = EvaluationTask['form'];
type ScoreColumn = (typeof SCORE_COLUMNS)[number];

/** Half the width of a 95 % interval, in standard errors. */
const INTERVAL = 1.96;

export function isShare(metric: string): boolean {
  return metric.startsWith('acc') || metric === 'exact_match';
}

/** `HellaSwag acc_norm`: the metric that a column holds is a part of its name. */
export function columnName({ title, metric }: ScoreColumn): string {
  return `${title} ${metric === 'perplexity' ? 'ppl' : metric}`;
}

export function formsOf({ tasks }: Evaluation): readonly Form[] {
  return [...new Set(tasks.map(({ form }) => form))];
}

export function scoreOf({ tasks }: Evaluation, form: Form, { task, metric }: ScoreColumn): EvaluationMetric | null {
  const found = tasks.find((each) => each.task === task && each.form === form);
  return found?.metrics.find((each) => each.metric === metric) ?? null;
}

/** Whether a task of the published table was evaluated. */
export function isInTable(evaluation: Evaluation): boolean {
  return SCORE_COLUMNS.some((column) => formsOf(evaluation).some((form) => scoreOf(evaluation, form, column) !== null));
}

/** `50.4 % ± 1.1`: with a 95 % interval. */
export function formatScore({ metric, value, standardError }: EvaluationMetric): string {
  if (value === null) return 'not finite';
  const scale = isShare(metric) ? 100 : 1;
  const digits = isShare(metric) || value >= 100 ? 1 : 2;
  const interval = standardError === null ? '' : ` ± ${(INTERVAL * standardError * scale).toFixed(digits)}`;
  return `${(value * scale).toFixed(digits)}${isShare(metric) ? ' %' : ''}${interval}`;
}

/** `55.0 %`, `51.21 %`, `4.00`: a figure of the published table, with the decimals that its column needs. */
export function formatPublished(metric: string, value: number): string {
  const decimals = new Intl.NumberFormat('en-GB', {
    minimumFractionDigits: isShare(metric) ? 1 : 2,
    maximumFractionDigits: 2,
  });
  return `${decimals.format(value)}${isShare(metric) ? ' %' : ''}`;
}

/** `+1.250`, with its sign. */
export function formatMargin(margin: number): string {
  return `${margin > 0 ? '+' : margin < 0 ? '−' : ''}${Math.abs(margin).toFixed(3)}`;
}
