/** What a second evaluation changes, by task. Documents are read in batches: memory does not grow with the task, tests of perplexities aside. */
import { distributionOf, divergence, mcNemarP, perplexityOf } from '@gptj-cloud/model';
import { ApiError, type EvaluationComparison, type EvaluationCreate } from '@gptj-cloud/protocol';
import type { Database } from '../store/db.ts';
import { type PairSums, readScores, sumPairs, type TaskPair } from './comparison-store.ts';
import { type Evaluation, headOf } from './evaluation.ts';

type Task = EvaluationCreate['tasks'][number];
type TaskChange = EvaluationComparison['tasks'][number];

/** The log-likelihoods of the same documents in two evaluations. */
export interface Perplexities {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** The difference of two perplexities with its interval of 95 %. */
export type TestPerplexities = (
  scores: Perplexities,
) => Promise<{ readonly difference: number; readonly low: number; readonly high: number }>;

/** Documents whose log-likelihoods are read: beyond, only counts are compared. */
const MAX_SCORED = 100_000;

/** Throws `conflict` where the reports have no task with the same requests. */
export async function compareEvaluations(
  db: Database,
  { before, after }: { readonly before: Evaluation; readonly after: Evaluation },
  test: TestPerplexities,
): Promise<EvaluationComparison> {
  const tasks: TaskChange[] = [];
  const left: EvaluationComparison['left_out'] = [];
  for (const [index, task] of headOf(before).tasks.entries()) {
    const found = findTask(after, task);
    const { task: name, form } = task;
    if (typeof found === 'string') left.push({ task: name, form, reason: found });
    else {
      const pair = { before: { evaluationId: before.id, task: index }, after: { evaluationId: after.id, task: found } };
      tasks.push({ task: name, form, index, ...(await compareTask(db, { pair, task, test })) });
    }
  }
  if (tasks.length === 0) throw otherRequests(left.map(({ task, form }) => `${task} (${form})`).join(', '));
  const side = ({ id, name }: Evaluation) => ({ id, name });
  return { before: side(before), after: side(after), tasks, left_out: left };
}

/** The task of both with this index in the first report. Throws `conflict` where the requests differ. */
export function pairOf(before: Evaluation, after: Evaluation, index: number, task: Task): TaskPair {
  const found = findTask(after, task);
  if (typeof found === 'string') throw otherRequests(`${task.task} (${task.form})`);
  return { before: { evaluationId: before.id, task: index }, after: { evaluationId: after.id, task: found } };
}

/** Index of the same task in a report, or why it cannot be compared. */
function findTask(evaluation: Evaluation, { task, form, requests_hash }: Task): number | 'absent' | 'other_requests' {
  const { tasks } = headOf(evaluation);
  const at = tasks.findIndex((each) => each.task === task && each.form === form);
  if (at === -1) return 'absent';
  return tasks[at]!.requests_hash === requests_hash ? at : 'other_requests';
}

function otherRequests(tasks: string): ApiError {
  return new ApiError('conflict', {
    reason: `the evaluations have no requests in common: the second one lacks ${tasks.slice(0, 300)}, or has other requests there (requests_hash)`,
    remedy: 'compare runs of the same tasks, forms, limit and few-shot examples',
  });
}

async function compareTask(
  db: Database,
  { pair, task, test }: { readonly pair: TaskPair; readonly task: Task; readonly test: TestPerplexities },
): Promise<Omit<TaskChange, 'task' | 'form' | 'index'>> {
  const sums = await sumPairs(db, pair);
  const { documents, flips } = sums;
  const names = task.metrics.map(({ metric }) => metric);
  const scores = documents > 0 && documents <= MAX_SCORED ? await compareScores(db, pair, task) : null;
  return {
    documents,
    accuracies: documents === 0 ? [] : names.flatMap((metric) => accuracyChange(metric, sums) ?? []),
    perplexity: scores?.perplexities == null ? null : await perplexityChange(scores.perplexities, test),
    flips,
    divergence: scores?.divergence ?? null,
    mean_difference: scores?.meanDifference ?? null,
  };
}

function accuracyChange(
  metric: string,
  { documents, right, normalized }: PairSums,
): TaskChange['accuracies'][number] | null {
  if (!['acc', 'acc_norm', 'exact_match'].includes(metric)) return null;
  const { before, after, gained, lost } = metric === 'acc_norm' ? normalized : right;
  const share = (count: number): number => count / documents;
  return { metric, before: share(before), after: share(after), gained, lost, p: mcNemarP(gained, lost) };
}

async function perplexityChange(scores: Perplexities, test: TestPerplexities): Promise<TaskChange['perplexity']> {
  const change = {
    before: perplexityOf(scores.before),
    after: perplexityOf(scores.after),
    ...(await test(scores)),
  };
  // A log-likelihood of -1000 has a perplexity that no number holds.
  return Object.values(change).every(Number.isFinite) ? change : null;
}

interface ScoreChange {
  readonly divergence: TaskChange['divergence'];
  readonly meanDifference: number | null;
  readonly perplexities: Perplexities | null;
}

async function compareScores(db: Database, pair: TaskPair, task: Task): Promise<ScoreChange> {
  const [hasAnswers, hasPerplexity] = ['acc', 'perplexity'].map((name) =>
    task.metrics.some(({ metric }) => metric === name),
  );
  const before: number[] = [];
  const after: number[] = [];
  let [requests, moved] = [0, 0];
  // Of the divergences: Welford's mean and sum of squares.
  let [count, mean, squares] = [0, 0, 0];
  for await (const batch of readScores(db, pair, task.document_count)) {
    for (const { document, before: a, after: b } of batch) {
      if (a.length !== b.length) throw otherRequests(`document ${document}`);
      requests += a.length;
      moved += a.reduce((sum, value, at) => sum + Math.abs(value - b[at]!), 0);
      if (hasPerplexity && a.length === 1) {
        before.push(a[0]!);
        after.push(b[0]!);
      }
      if (!hasAnswers || a.length === 0) continue;
      const value = divergence(distributionOf(a), distributionOf(b));
      count++;
      const step = value - mean;
      mean += step / count;
      squares += step * (value - mean);
    }
  }
  const standardError = count < 2 ? null : Math.sqrt(squares / (count - 1) / count);
  return {
    divergence: count === 0 || !Number.isFinite(mean) ? null : { mean, standard_error: standardError },
    meanDifference: requests === 0 ? null : moved / requests,
    perplexities: before.length === 0 ? null : { before, after },
  };
}
