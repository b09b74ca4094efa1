/** Reads the JSON of a run. Throws `results_invalid`. */
import { EvaluationError } from '../evaluation-error.ts';
import { type EvaluationReport, REPORT_FORMAT } from './evaluation-report.ts';

/** `name`: of the file, for messages. */
export function readReport(text: string, name: string): EvaluationReport {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(name, 'JSON that gptj eval wrote', text.slice(0, 60), cause);
  }
  const report = asRecord(value, name);
  if (report.format !== REPORT_FORMAT) throw invalid(name, `format ${REPORT_FORMAT}`, report.format);
  const { model } = asRecord(report.model, name);
  if (typeof model !== 'string') throw invalid(name, 'the name of a model', model ?? 'nothing');
  asRecord(report.seeds, name);
  if (!Array.isArray(report.tasks)) throw invalid(name, 'a list of tasks', report.tasks);
  for (const task of report.tasks) checkTask(asRecord(task, name), name);
  // The format and every field that is read below have been checked.
  return value as EvaluationReport;
}

function checkTask(task: Readonly<Record<string, unknown>>, name: string): void {
  for (const field of ['task', 'form', 'requestsSha256']) {
    if (typeof task[field] !== 'string') throw invalid(name, `${field} of a task to be a string`, task[field]);
  }
  if (!Array.isArray(task.metrics)) throw invalid(name, 'metrics of a task', task.metrics);
  if (!Array.isArray(task.documents)) throw invalid(name, 'the documents of a task', task.documents);
  for (const each of task.metrics) {
    const { metric } = asRecord(each, name);
    if (typeof metric !== 'string') throw invalid(name, 'the name of a metric', metric ?? 'nothing');
  }
  if (task.documents.length !== task.documentCount) {
    throw invalid(name, `${task.documentCount} documents of ${task.task}`, task.documents.length);
  }
  for (const document of task.documents) {
    const { id, gold, logLikelihoods, values } = asRecord(document, name);
    const isValid =
      typeof id === 'number' &&
      typeof gold === 'number' &&
      Array.isArray(logLikelihoods) &&
      logLikelihoods.every((each) => typeof each === 'number') &&
      Object.values(asRecord(values, name)).every((each) => typeof each === 'number');
    if (!isValid) throw invalid(name, 'a document with id, gold, logLikelihoods and values', document);
  }
}

function asRecord(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(name, 'an object', value);
  return { ...value };
}

function invalid(name: string, expected: string, got: unknown, cause?: unknown): EvaluationError {
  const shown = (JSON.stringify(got) ?? 'nothing').slice(0, 120);
  return new EvaluationError('results_invalid', `${name}: expected ${expected}, got ${shown}`, { cause });
}
