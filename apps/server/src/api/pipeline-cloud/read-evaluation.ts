/** Jobs of the uploads of evaluations. */
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
