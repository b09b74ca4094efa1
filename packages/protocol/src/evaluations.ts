/**
 * Evaluations: the report of `gptj eval`, and how the model answered every document. A report is uploaded as its head, then
 * its documents in pieces, in any order; each piece may be sent again.
 */
import { z } from 'zod';
import { nameSchema } from './names.ts';
import { paginatedSchema } from './paginated.ts';
import { timestampSchema } from './timestamp.ts';

const MAX_TASKS = 40;
const MAX_METRICS = 16;
const MAX_VERSIONS = 20;
const MAX_SELF_CHECKS = 30;
const MAX_DOCUMENTS = 1_000_000;
/** Of one document. */
const MAX_CHOICES = 100;
const MAX_DOCUMENT_TEXT = 65_536;
/** Longest body of a piece of documents. */
export const MAX_EVALUATION_PIECE_BYTES = 1_048_576;
/** Documents of a piece. */
const MAX_PIECE_DOCUMENTS = 500;
/** Larger than the log-likelihood of any text that fits a document. */
const MAX_NUMBER = 1e12;

const shortText = z.string().max(500, 'expected at most 500 characters');
const wordSchema = z
  .string()
  .max(100, 'expected at most 100 characters')
  .regex(/^[\w.:/ -]+$/, 'expected letters, digits and . : / - _');
const hashSchema = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in 64 lower-case hexadecimal digits');
const numberSchema = z.number().min(-MAX_NUMBER).max(MAX_NUMBER);
const wholeSchema = z.int().min(0).max(MAX_DOCUMENTS);

const metricSchema = z.strictObject({
  metric: wordSchema,
  /** Null: not a finite number. */
  value: numberSchema.nullable(),
  standard_error: numberSchema.min(0).nullable(),
});

const taskShape = {
  task: wordSchema,
  version: z.int().min(0).max(10_000),
  form: z.enum(['harness', 'published']),
  shots: z.int().min(0).max(100),
  document_count: wholeSchema,
  request_count: z
    .int()
    .min(0)
    .max(MAX_DOCUMENTS * MAX_CHOICES),
  data_hash: hashSchema.nullable(),
  requests_hash: hashSchema,
  metrics: z.array(metricSchema).max(MAX_METRICS, `expected at most ${MAX_METRICS} metrics`),
};

const headShape = {
  /** SHA-256 of the report's file: a report is stored once in a project. */
  hash: hashSchema,
  model: z.strictObject({
    adapter: wordSchema,
    model: shortText,
    weights: shortText,
    type: shortText.nullable(),
    engine: shortText.nullable(),
  }),
  versions: z
    .record(wordSchema, shortText)
    .refine((versions) => Object.keys(versions).length <= MAX_VERSIONS, `expected at most ${MAX_VERSIONS} versions`),
  seeds: z.strictObject({ few_shot: z.int(), bootstrap: shortText }),
  limit: wholeSchema.nullable(),
  self_checks: z.array(wordSchema).max(MAX_SELF_CHECKS),
  skipped_self_checks: z.array(wordSchema).max(MAX_SELF_CHECKS),
};

/** Body of `POST /v2/evaluations`. */
export const evaluationCreateSchema = z
  .strictObject({
    name: nameSchema,
    ...headShape,
    tasks: z.array(z.strictObject(taskShape)).min(1).max(MAX_TASKS, `expected at most ${MAX_TASKS} tasks`),
  })
  .refine(
    ({ tasks }) => new Set(tasks.map(({ task, form }) => `${form} ${task}`)).size === tasks.length,
    'expected each task once in each form',
  );
export type EvaluationCreate = z.infer<typeof evaluationCreateSchema>;

const documentShape = {
  /** Place in the task's file, from 0. */
  id: wholeSchema,
  /** Index of the right request. */
  gold: z.int().min(0).max(MAX_CHOICES),
  log_likelihoods: z.array(numberSchema).max(MAX_CHOICES),
  greedy: z.array(z.boolean()).max(MAX_CHOICES),
  /** By metric. */
  values: z
    .record(wordSchema, numberSchema)
    .refine((values) => Object.keys(values).length <= MAX_METRICS, `expected at most ${MAX_METRICS} values`),
  /** What all requests begin with; null: not stored. */
  context: z.string().nullable(),
  /** In which the requests differ: continuations, or contexts of one continuation. */
  choices: z.array(z.string()).max(MAX_CHOICES),
  /** What all requests end with, where the choices are contexts. */
  continuation: z.string().nullable(),
  /** The text that the model wrote, of tasks that generate. */
  answer: z.string().nullable(),
};

const documentSchema = z
  .strictObject(documentShape)
  .refine(
    ({ log_likelihoods, greedy }) => log_likelihoods.length === greedy.length,
    'expected as many flags in greedy as log_likelihoods',
  )
  .refine(
    ({ context, choices, continuation, answer }) =>
      [context, ...choices, continuation, answer].reduce((sum, text) => sum + (text?.length ?? 0), 0) <=
      MAX_DOCUMENT_TEXT,
    `expected at most ${MAX_DOCUMENT_TEXT} characters of text`,
  );

/** Body of `POST /v2/evaluations/<id>/documents`. */
export const evaluationPieceSchema = z.strictObject({
  /** Index of the task in the report. */
  task: z.int().min(0).max(MAX_TASKS),
  documents: z
    .array(documentSchema)
    .min(1)
    .max(MAX_PIECE_DOCUMENTS, `expected at most ${MAX_PIECE_DOCUMENTS} documents`),
});
export type EvaluationPiece = z.infer<typeof evaluationPieceSchema>;

export const evaluationGetSchema = z.object({
  id: z.string(),
  name: z.string(),
  ...headShape,
  tasks: z.array(
    z.object({
      ...taskShape,
      /** Documents that the server has. */
      received: z.number(),
    }),
  ),
  /** Whether the server has every document of every task. */
  is_complete: z.boolean(),
  /** Stored bytes, which count against the plan. */
  size: z.number(),
  created_at: timestampSchema,
});
export type EvaluationGet = z.infer<typeof evaluationGetSchema>;
export const evaluationPageSchema = paginatedSchema(evaluationGetSchema);

export const evaluationDocumentSchema = z.object({
  ...documentShape,
  /**
   * Log-likelihood of the right request above the best other one; of one request, its log-likelihood. Null without
   * log-likelihoods.
   */
  margin: z.number().nullable(),
  /** Whether the answer is right by `acc` or `exact_match`; null: the task has neither. */
  is_right: z.boolean().nullable(),
  /** The same by `acc_norm`. */
  is_right_normalized: z.boolean().nullable(),
});
export type EvaluationDocument = z.infer<typeof evaluationDocumentSchema>;
export const evaluationDocumentPageSchema = paginatedSchema(evaluationDocumentSchema);
