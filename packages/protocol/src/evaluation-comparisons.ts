/** Two stored evaluations, compared document by document: what the second one changes. */
import { z } from 'zod';
import { evaluationDocumentSchema } from './evaluations.ts';
import { paginatedSchema } from './paginated.ts';

const sideSchema = z.object({ id: z.string(), name: z.string() });

const accuracyChangeSchema = z.object({
  metric: z.string(),
  /** Share of right answers of the first evaluation, and of the second. */
  before: z.number(),
  after: z.number(),
  /** Documents that only the second one has right, and only the first. */
  gained: z.number(),
  lost: z.number(),
  /** McNemar's exact test. */
  p: z.number(),
});

const perplexityChangeSchema = z.object({
  before: z.number(),
  after: z.number(),
  difference: z.number(),
  /** Interval of 95 % of the difference, by a paired bootstrap over documents. */
  low: z.number(),
  high: z.number(),
});

const divergenceSchema = z.object({
  mean: z.number(),
  /** Of the mean; null for one document. */
  standard_error: z.number().nullable(),
});

const taskChangeSchema = z.object({
  task: z.string(),
  form: z.enum(['harness', 'published']),
  /** Index of the task in the first report. */
  index: z.number(),
  /** Documents that the server has of both, which are compared. */
  documents: z.number(),
  /** Empty without documents. */
  accuracies: z.array(accuracyChangeSchema),
  /** Null: the task has none, or more than 100,000 documents. */
  perplexity: perplexityChangeSchema.nullable(),
  /** Documents whose chosen answer differs; accuracy alone hides them. */
  flips: z.number(),
  /**
   * Kullback-Leibler divergence in nats of the first one's distribution over the answers from the second's. Null: the task has no
   * answers with log-likelihoods, or more than 100,000 documents.
   */
  divergence: divergenceSchema.nullable(),
  /** Mean absolute difference of the log-likelihoods of all requests; null without them. */
  mean_difference: z.number().nullable(),
});

/** Reply of `GET /v2/evaluations/<id>/comparison`. */
export const evaluationComparisonSchema = z.object({
  before: sideSchema,
  after: sideSchema,
  tasks: z.array(taskChangeSchema),
  /** Tasks of the first report that are not compared: absent in the second one, or there with other requests. */
  left_out: z.array(
    z.object({
      task: z.string(),
      form: z.enum(['harness', 'published']),
      reason: z.enum(['absent', 'other_requests']),
    }),
  ),
});
export type EvaluationComparison = z.infer<typeof evaluationComparisonSchema>;

const documentChangeSchema = z.object({
  /** Place in the file of the task, from 0. */
  id: z.number(),
  /** Whether the chosen answers differ. */
  is_flipped: z.boolean(),
  /** Margin of the second one less that of the first; null without margins. */
  margin_change: z.number().nullable(),
  before: evaluationDocumentSchema,
  after: evaluationDocumentSchema,
});
export type DocumentChange = z.infer<typeof documentChangeSchema>;
/** Reply of `GET /v2/evaluations/<id>/comparison/documents`. */
export const documentChangePageSchema = paginatedSchema(documentChangeSchema);
