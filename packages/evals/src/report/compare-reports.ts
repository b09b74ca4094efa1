/** Compares two runs document by document. */
import {
  chosenOf,
  distributionOf,
  divergence,
  marginOf,
  mcNemarP,
  type PairedInterval,
  pairedPerplexity,
} from '@gptj-cloud/model';
import { EvaluationError } from '../evaluation-error.ts';
import { mean, sampleDeviation } from '../metrics/mean.ts';
import type { EvaluationReport, ReportedDocument, ReportedTask } from './evaluation-report.ts';

export interface AccuracyChange {
  readonly metric: string;
  readonly before: number;
  readonly after: number;
  /** Documents that only the second run has right, and only the first. */
  readonly gained: number;
  readonly lost: number;
  readonly p: number;
}

export interface TaskChange {
  readonly task: string;
  readonly form: string;
  readonly documents: number;
  readonly accuracies: readonly AccuracyChange[];
  readonly perplexity: PairedInterval | null;
  /** Documents whose chosen answer differs; accuracy alone hides them. */
  readonly flips: number;
  /** Mean of all documents; null for generated texts, and for the perplexity of whole texts. */
  readonly divergence: Divergence | null;
  /** Of all requests; null without log-likelihoods. */
  readonly meanDifference: number | null;
  /** The documents that changed most, flipped ones first, then those whose margin moved most. */
  readonly moved: readonly MovedDocument[];
}

export interface MovedDocument {
  readonly id: number;
  /** Log-likelihood of the right answer above the best other one; of one request, its log-likelihood. */
  readonly marginBefore: number;
  readonly marginAfter: number;
}

/** Kullback-Leibler divergence in nats of the first run's distribution over answers from the second's. */
export interface Divergence {
  readonly mean: number;
  /** Of the mean; null for one document. */
  readonly standardError: number | null;
}

const MOVED = 5;

/** Throws `results_invalid` where the runs have no task, form and requests in common. */
export function compareReports(before: EvaluationReport, after: EvaluationReport): readonly TaskChange[] {
  const changes = before.tasks.flatMap((task) => {
    const other = after.tasks.find(
      (each) => each.task === task.task && each.form === task.form && each.requestsSha256 === task.requestsSha256,
    );
    return other === undefined ? [] : [compareTask(task, other)];
  });
  if (changes.length > 0) return changes;
  const names = (report: EvaluationReport): string =>
    report.tasks.map(({ task, form, documentCount }) => `${task} (${form}, ${documentCount} documents)`).join(', ');
  throw new EvaluationError(
    'results_invalid',
    `expected two runs with a task and requests in common, got ${names(before)} and ${names(after)}; the same --limit and --shots are needed`,
  );
}

function compareTask(before: ReportedTask, after: ReportedTask): TaskChange {
  const pairs = before.documents.map((document, at) => [document, after.documents[at]!] as const);
  const odd = pairs.find(([a, b]) => a.logLikelihoods.length !== b?.logLikelihoods.length);
  if (odd !== undefined) {
    throw new EvaluationError(
      'results_invalid',
      `expected the same requests in both runs, got other numbers of them for document ${odd[0].id} of ${before.task}`,
    );
  }
  const accuracies = ['acc', 'acc_norm', 'exact_match']
    .filter((metric) => before.metrics.some((each) => each.metric === metric))
    .map((metric) => compareAccuracy(metric, pairs));
  const hasAnswers = before.metrics.some(({ metric }) => metric === 'acc');
  const isPerplexity = before.metrics.some(({ metric }) => metric === 'perplexity');
  const logLikelihoods = (task: ReportedTask): readonly number[] =>
    task.documents.map(({ logLikelihoods: [only] }) => only!);
  const differences = pairs.flatMap(([a, b]) =>
    a.logLikelihoods.map((value, at) => Math.abs(value - b.logLikelihoods[at]!)),
  );
  return {
    task: before.task,
    form: before.form,
    documents: pairs.length,
    accuracies,
    perplexity: isPerplexity ? pairedPerplexity(logLikelihoods(before), logLikelihoods(after)) : null,
    flips: pairs.filter(([a, b]) => chosenOf(a) !== chosenOf(b)).length,
    divergence: hasAnswers ? divergenceOf(pairs) : null,
    meanDifference: differences.length === 0 ? null : mean(differences),
    moved: mostMoved(pairs),
  };
}

type Pair = readonly [ReportedDocument, ReportedDocument];

function mostMoved(pairs: readonly Pair[]): readonly MovedDocument[] {
  const moved = pairs.flatMap(([a, b]) => {
    const marginBefore = marginOf(a.logLikelihoods, a.gold);
    const marginAfter = marginOf(b.logLikelihoods, b.gold);
    if (marginBefore === null || marginAfter === null) return [];
    const rank = [Number(chosenOf(a) !== chosenOf(b)), Math.abs(marginAfter - marginBefore)] as const;
    return [{ rank, document: { id: a.id, marginBefore, marginAfter } }];
  });
  return moved
    .sort(({ rank: a }, { rank: b }) => b[0] - a[0] || b[1] - a[1])
    .slice(0, MOVED)
    .map(({ document }) => document);
}

function compareAccuracy(metric: string, pairs: readonly Pair[]): AccuracyChange {
  const share = (side: 0 | 1): number =>
    pairs.reduce((sum, pair) => sum + (pair[side].values[metric] ?? 0), 0) / Math.max(1, pairs.length);
  const gained = pairs.filter(([a, b]) => (a.values[metric] ?? 0) < (b.values[metric] ?? 0)).length;
  const lost = pairs.filter(([a, b]) => (a.values[metric] ?? 0) > (b.values[metric] ?? 0)).length;
  return { metric, before: share(0), after: share(1), gained, lost, p: mcNemarP(gained, lost) };
}

function divergenceOf(pairs: readonly Pair[]): Divergence | null {
  if (pairs.length === 0 || pairs.some(([a]) => a.logLikelihoods.length === 0)) return null;
  const values = pairs.map(([a, b]) => divergence(distributionOf(a.logLikelihoods), distributionOf(b.logLikelihoods)));
  const standardError = values.length < 2 ? null : sampleDeviation(values) / Math.sqrt(values.length);
  return { mean: mean(values), standardError };
}
