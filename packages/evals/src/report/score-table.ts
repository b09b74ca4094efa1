/** The rows of the published table with those of a run, as texts. */
import { GPTJ_TODAY, PUBLISHED_MODELS, type PublishedModel, SCORE_COLUMNS } from '@gptj-cloud/model';
import { isHigherBetter } from '../metrics/aggregate.ts';
import type { TaskForm } from '../tasks/task.ts';
import type { EvaluationReport, ReportedTask } from './evaluation-report.ts';

/** Half the width of a 95 % interval, in standard errors. */
const INTERVAL = 1.96;

export interface TextTable {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** `LAMBADA ppl ↓`, `PIQA acc_norm ↑`. */
function columnTitles(): readonly string[] {
  return SCORE_COLUMNS.map(({ title, metric }) => {
    const name = metric === 'perplexity' ? 'ppl' : metric;
    return `${title} ${name} ${isHigherBetter(metric) ? '↑' : '↓'}`;
  });
}

/** The published models, and the run once for each form, between chance and the others. Null without a task of the table. */
export function comparisonTable(report: EvaluationReport): TextTable | null {
  const forms = [...new Set(report.tasks.map(({ form }) => form))];
  const own = forms.flatMap((form) => {
    const cells = SCORE_COLUMNS.map((column) => ownCell(report.tasks, column, form));
    return cells.every((cell) => cell === '') ? [] : [[`${report.model.model}, form ${form}`, ...cells]];
  });
  if (own.length === 0) return null;
  const rows = [...PUBLISHED_MODELS, GPTJ_TODAY].map((model) => [model.name, ...publishedCells(model)]);
  return { titles: ['model', ...columnTitles()], rows: [...own, ...rows] };
}

function publishedCells({ scores }: PublishedModel): readonly string[] {
  return scores.map((score, at) => {
    if (score === null) return '–';
    return SCORE_COLUMNS[at]!.metric === 'perplexity' ? score.toFixed(2) : `${score} %`;
  });
}

function ownCell(tasks: readonly ReportedTask[], column: (typeof SCORE_COLUMNS)[number], form: TaskForm): string {
  const task = tasks.find((each) => each.task === column.task && each.form === form);
  const found = task?.metrics.find(({ metric }) => metric === column.metric);
  return found === undefined ? '' : formatMetric(found);
}

/** Every metric of every task of the run. */
export function metricTable(report: EvaluationReport): TextTable {
  return {
    titles: ['task', 'form', 'shots', 'metric', 'value', 'standard error', 'documents'],
    rows: report.tasks.flatMap(({ task, form, shots, metrics, documentCount }) =>
      metrics.map(({ metric, value, standardError }) => [
        task,
        form,
        String(shots),
        metric,
        formatNumber(value),
        standardError === null ? '–' : formatNumber(standardError),
        String(documentCount),
      ]),
    ),
  };
}

/** `50.4 % ± 1.1`, `17.3 ± 0.6`: with a 95 % interval. */
function formatMetric({ metric, value, standardError }: ReportedTask['metrics'][number]): string {
  const isShare = isHigherBetter(metric);
  const scale = isShare ? 100 : 1;
  const digits = isShare || value * scale >= 100 ? 1 : 2;
  const interval = standardError === null ? '' : ` ± ${(INTERVAL * standardError * scale).toFixed(digits)}`;
  return `${(value * scale).toFixed(digits)}${isShare ? ' %' : ''}${interval}`;
}

function formatNumber(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(1) : value.toPrecision(4);
}
