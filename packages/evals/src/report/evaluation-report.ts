/**
 * A run as JSON: scores with all that they depend on. It has no times, so that a run that was killed and resumed writes the
 * same bytes.
 */
import type { TaskEvaluation } from '../evaluate-task.ts';
import type { MetricValue } from '../metrics/aggregate.ts';
import { hashRequests } from '../requests/request-hash.ts';
import type { ScorerIdentity } from '../scoring/token-scorer.ts';
import type { TaskForm } from '../tasks/task.ts';

export const REPORT_FORMAT = 'gptj-eval/1';

export interface ReportedDocument {
  /** Place in the task's file, from 0. */
  readonly id: number;
  readonly gold: number;
  readonly logLikelihoods: readonly number[];
  readonly greedy: readonly boolean[];
  readonly values: Readonly<Record<string, number>>;
}

export interface ReportedTask {
  readonly task: string;
  readonly version: number;
  readonly form: TaskForm;
  readonly shots: number;
  readonly documentCount: number;
  readonly requestCount: number;
  /** sha256 of the task's file; null: a file of the caller. */
  readonly dataSha256: string | null;
  /** sha256 of the requests as `hashRequests` makes it, over the documents of this run. */
  readonly requestsSha256: string;
  readonly metrics: readonly MetricValue[];
  readonly documents: readonly ReportedDocument[];
}

export interface EvaluationReport {
  readonly format: typeof REPORT_FORMAT;
  readonly model: ScorerIdentity;
  readonly versions: Readonly<Record<string, string>>;
  /** Of few-shot examples and of the bootstrap. */
  readonly seeds: { readonly fewShot: number; readonly bootstrap: string };
  readonly limit: number | null;
  readonly selfChecks: readonly string[];
  readonly skippedSelfChecks: readonly string[];
  readonly tasks: readonly ReportedTask[];
}

export interface ReportInput extends Omit<EvaluationReport, 'format' | 'tasks' | 'seeds'> {
  readonly evaluations: readonly FormEvaluation[];
}

export interface FormEvaluation extends TaskEvaluation {
  readonly form: TaskForm;
}

export function toReport({ evaluations, ...rest }: ReportInput): EvaluationReport {
  return {
    format: REPORT_FORMAT,
    ...rest,
    seeds: { fewShot: 1234, bootstrap: '0 to 99, one for each 1000 samples' },
    tasks: evaluations.map(toReportedTask),
  };
}

function toReportedTask({ task, form, shots, documents, metrics }: FormEvaluation): ReportedTask {
  const requests = documents.flatMap((document) => document.requests);
  return {
    task: task.name,
    version: task.version,
    form,
    shots,
    documentCount: documents.length,
    requestCount: requests.length,
    dataSha256: task.data?.sha256 ?? null,
    requestsSha256: hashRequests(requests, form),
    metrics,
    documents: documents.map(({ document, answer, items }, id) => ({
      id,
      gold: document.gold,
      logLikelihoods: answer.scores.map(({ logLikelihood }) => logLikelihood),
      greedy: answer.scores.map(({ isGreedy }) => isGreedy),
      values: Object.fromEntries(
        Object.entries(items).flatMap(([name, item]) => (typeof item === 'number' ? [[name, item]] : [])),
      ),
    })),
  };
}
