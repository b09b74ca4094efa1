/** Jobs of evaluations: reading uploads, and the test of two perplexities. */
import { type PairedInterval, pairedPerplexity } from '@gptj-cloud/model';
import {
  type EvaluationCreate,
  type EvaluationPiece,
  evaluationCreateSchema,
  evaluationPieceSchema,
} from '@gptj-cloud/protocol';
import type { TextModel } from '../../generation/text-model.ts';
import { parseJsonBody } from '../../http/json-body.ts';
import type { Job } from '../../workers/job.ts';

type Body = { readonly body: Uint8Array };

/** Reads a report without its documents. */
export const READ_EVALUATION: Job<TextModel, Body, EvaluationCreate> = {
  name: 'evaluation',
  what: 'the report',
  size: ({ body }) => body.length,
  run: (_, { body }) => parseJsonBody(body, evaluationCreateSchema).value,
  moved: ({ body }) => [body],
};

/** Reads a piece of the documents of a report. */
export const READ_EVALUATION_PIECE: Job<TextModel, Body, EvaluationPiece> = {
  name: 'evaluation piece',
  what: 'the documents',
  size: ({ body }) => body.length,
  run: (_, { body }) => parseJsonBody(body, evaluationPieceSchema).value,
  moved: ({ body }) => [body],
};

type Scores = { readonly before: readonly number[]; readonly after: readonly number[] };

/** A draw of the bootstrap costs about as much as reading a byte. */
const DRAWS_PER_DOCUMENT = 10_000;

export const TEST_PERPLEXITIES: Job<TextModel, Scores, PairedInterval> = {
  name: 'test of perplexities',
  what: 'the log-likelihoods',
  size: ({ before }) => before.length * DRAWS_PER_DOCUMENT,
  run: (_, { before, after }) => pairedPerplexity(before, after),
};
