/** Two stored evaluations, compared document by document. */
import { booleanAt, listOf, nullable, numberAt, oneOf, record, stringAt } from '../fields.ts';
import type { ListOptions } from '../options.ts';
import { type EvaluationDocument, parseDocument } from './evaluation-documents.ts';

export interface AccuracyChange {
  readonly metric: string;
  /** Share of right answers of the first evaluation, and of the second. */
  readonly before: number;
  readonly after: number;
  /** Documents that only the second one has right, and only the first. */
  readonly gained: number;
  readonly lost: number;
  /** McNemar's exact test. */
  readonly p: number;
}

export interface PerplexityChange {
  readonly before: number;
  readonly after: number;
  readonly difference: number;
  /** Interval of 95 % of the difference, by a paired bootstrap over documents. */
  readonly low: number;
  readonly high: number;
}

/** Kullback-Leibler divergence in nats of the first evaluation's distribution over the answers from the second's. */
export interface AnswerDivergence {
  readonly mean: number;
  /** Of the mean; null for one document. */
  readonly standardError: number | null;
}

export interface EvaluationTaskChange {
  readonly task: string;
  readonly form: 'harness' | 'published';
  /** Index of the task in the first report. */
  readonly index: number;
  /** Documents that the server has of both, which are compared. */
  readonly documents: number;
  readonly accuracies: readonly AccuracyChange[];
  readonly perplexity: PerplexityChange | null;
  /** Documents whose chosen answer differs. */
  readonly flips: number;
  readonly divergence: AnswerDivergence | null;
  /** Mean absolute difference of the log-likelihoods of all requests. */
  readonly meanDifference: number | null;
}

export interface EvaluationComparison {
  readonly before: { readonly id: string; readonly name: string };
  readonly after: { readonly id: string; readonly name: string };
  readonly tasks: readonly EvaluationTaskChange[];
  /** Tasks of the first report that the second one lacks, or has with other requests. */
  readonly leftOut: readonly {
    readonly task: string;
    readonly form: 'harness' | 'published';
    readonly reason: 'absent' | 'other_requests';
  }[];
}

/** How the answer to a document changed. */
export interface DocumentChange {
  /** Place in the file of the task, from 0. */
  readonly id: number;
  /** Whether the chosen answers differ. */
  readonly isFlipped: boolean;
  /** Margin of the second evaluation less that of the first. */
  readonly marginChange: number | null;
  readonly before: EvaluationDocument;
  readonly after: EvaluationDocument;
}

export interface DocumentChangeOptions extends Omit<ListOptions, 'order'> {
  /** Index of the task in the first report. Default 0. */
  readonly task?: number | undefined;
  /** Only documents whose chosen answer differs, or that only the second evaluation has right, or only the first. */
  readonly change?: 'flipped' | 'gained' | 'lost' | undefined;
  /** The accuracy that `gained` and `lost` mean. Default `acc`. */
  readonly by?: 'acc' | 'acc_norm' | undefined;
}

const form = oneOf('harness', 'published');
const side = record<EvaluationComparison['before']>({ id: stringAt, name: stringAt });

export const parseComparison: (value: unknown, field?: string) => EvaluationComparison = record<EvaluationComparison>({
  before: side,
  after: side,
  tasks: listOf(
    record<EvaluationTaskChange>({
      task: stringAt,
      form,
      index: numberAt,
      documents: numberAt,
      accuracies: listOf(
        record<AccuracyChange>({
          metric: stringAt,
          before: numberAt,
          after: numberAt,
          gained: numberAt,
          lost: numberAt,
          p: numberAt,
        }),
      ),
      perplexity: nullable(
        record<PerplexityChange>({
          before: numberAt,
          after: numberAt,
          difference: numberAt,
          low: numberAt,
          high: numberAt,
        }),
      ),
      flips: numberAt,
      divergence: nullable(record<AnswerDivergence>({ mean: numberAt, standardError: nullable(numberAt) })),
      meanDifference: nullable(numberAt),
    }),
  ),
  leftOut: listOf(
    record<EvaluationComparison['leftOut'][number]>({
      task: stringAt,
      form,
      reason: oneOf('absent', 'other_requests'),
    }),
  ),
});

export const parseChange: (value: unknown, field?: string) => DocumentChange = record<DocumentChange>({
  id: numberAt,
  isFlipped: booleanAt,
  marginChange: nullable(numberAt),
  before: parseDocument,
  after: parseDocument,
});
