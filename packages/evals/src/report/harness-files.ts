/** The files of lm-evaluation-harness: `results.json` and the samples of a task. */
import { createHash } from 'node:crypto';
import { bestIndex } from '@gptj-cloud/model';
import type { DocumentEvaluation } from '../evaluate-task.ts';
import { isHigherBetter } from '../metrics/aggregate.ts';
import type { Task } from '../tasks/task.ts';
import type { EvaluationReport, FormEvaluation } from './evaluation-report.ts';

export interface HarnessRun {
  readonly report: EvaluationReport;
  readonly evaluations: readonly FormEvaluation[];
  readonly seconds: number;
  readonly date: Date;
}

/** The object of `results_*.json`. The published form of a task has `_published` at the end of its name. */
export function toHarnessResults({ report, evaluations, seconds, date }: HarnessRun): unknown {
  const entries = <Value>(value: (evaluation: FormEvaluation) => Value): Readonly<Record<string, Value>> =>
    Object.fromEntries(evaluations.map((each) => [harnessName(each), value(each)]));
  return {
    results: entries((evaluation) => ({
      name: harnessName(evaluation),
      alias: harnessName(evaluation),
      sample_len: evaluation.documents.length,
      ...Object.fromEntries(
        evaluation.metrics.flatMap(({ metric, value, standardError }) => [
          [`${metric},none`, value],
          [`${metric}_stderr,none`, standardError ?? 'N/A'],
        ]),
      ),
    })),
    group_subtasks: entries(() => []),
    configs: entries(({ task, shots }) => ({
      task: task.name,
      dataset_path: task.data?.source ?? 'json',
      output_type: OUTPUT_TYPES[task.kind],
      num_fewshot: shots,
      metric_list: task.metrics.map((metric) => ({ metric, higher_is_better: isHigherBetter(metric) })),
      metadata: { version: task.version },
    })),
    versions: entries(({ task }) => task.version),
    'n-shot': entries(({ shots }) => shots),
    higher_is_better: entries(({ task }) =>
      Object.fromEntries(task.metrics.map((metric) => [metric, isHigherBetter(metric)])),
    ),
    'n-samples': entries(({ task, documents }) => ({
      original: task.data?.documents ?? documents.length,
      effective: documents.length,
    })),
    config: {
      model: report.model.adapter,
      model_args: { pretrained: report.model.model },
      limit: report.limit,
      bootstrap_iters: 100_000,
      random_seed: 0,
      fewshot_seed: report.seeds.fewShot,
    },
    task_hashes: entries(({ task, documents }) =>
      sha256(documents.map((each) => Object.values(hashesOf(task, each)).join('')).join('')),
    ),
    model_name: report.model.model,
    model_sha: report.model.weights,
    date: date.getTime() / 1000,
    total_evaluation_time_seconds: String(seconds),
    versions_of_tools: report.versions,
  };
}

/** The lines of `samples_TASK_*.jsonl`. */
export function toHarnessSamples({ task, documents }: FormEvaluation): readonly string[] {
  return documents.map((evaluation, id) => {
    const { document, requests, answer, items } = evaluation;
    const resps = answer.scores.map(({ logLikelihood, isGreedy }) => [
      String(logLikelihood),
      isGreedy ? 'True' : 'False',
    ]);
    const text = [answer.text ?? ''];
    return JSON.stringify({
      doc_id: id,
      doc: document.fields,
      target: targetOf(task, evaluation),
      arguments: Object.fromEntries(
        requests.map(({ context, continuation }, at) => [
          `gen_args_${at}`,
          task.kind === 'rolling' ? { arg_0: continuation } : { arg_0: context, arg_1: continuation },
        ]),
      ),
      resps: answer.text === null ? resps.map((each) => [each]) : [text],
      filtered_resps: answer.text === null ? resps : text,
      filter: 'none',
      metrics: task.metrics,
      ...hashesOf(task, evaluation),
      ...(answer.scores.length > 1
        ? { chosen: bestIndex(answer.scores.map(({ logLikelihood }) => logLikelihood)) }
        : {}),
      ...items,
    });
  });
}

export function harnessName({ task, form }: NamedForm): string {
  return form === 'harness' ? task.name : `${task.name}_${form}`;
}

/** What names the results of a task in a form. */
interface NamedForm {
  readonly task: Pick<Task, 'name'>;
  readonly form: FormEvaluation['form'];
}

const OUTPUT_TYPES: Readonly<Record<Task['kind'], string>> = {
  'log-likelihood': 'loglikelihood',
  'multiple-choice': 'multiple_choice',
  'multiple-context': 'multiple_choice',
  rolling: 'loglikelihood_rolling',
  generate: 'generate_until',
};

function targetOf(task: Task, { document, requests }: DocumentEvaluation): string {
  const { continuation } = requests[0]!;
  switch (task.kind) {
    case 'log-likelihood':
    case 'rolling':
      return continuation;
    case 'multiple-context':
      return continuation.slice(1);
    case 'generate':
      return document.choices[document.gold]!;
    case 'multiple-choice':
      return task.targetIsText === true ? document.choices[document.gold]! : String(document.gold);
  }
}

/** In the order in which the harness joins them. */
function hashesOf(
  task: Task,
  evaluation: DocumentEvaluation,
): { readonly doc_hash: string; readonly prompt_hash: string; readonly target_hash: string } {
  return {
    doc_hash: sha256(JSON.stringify(evaluation.document.fields, null, 2)),
    prompt_hash: sha256(evaluation.requests[0]!.context),
    target_hash: sha256(targetOf(task, evaluation)),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
