/** An evaluation and its documents as the store has them. */
import { chosenOf, marginOf } from '@gptj-cloud/model';
import {
  type DocumentChange,
  type EvaluationCreate,
  type EvaluationDocument,
  type EvaluationGet,
  type EvaluationPiece,
  toTimestamp,
} from '@gptj-cloud/protocol';

export interface Evaluation {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly hash: string;
  /** JSON of an {@link EvaluationCreate}, whose documents are stored apart. */
  readonly head: string;
  /** JSON of a list: documents of each task that are stored. */
  readonly received: string;
  readonly sizeBytes: number;
  readonly createdAt: Date;
}

type DocumentFields = EvaluationPiece['documents'][number];

/** A document, and what lists are filtered and ordered by. */
export interface StoredDocument {
  readonly document: number;
  readonly margin: number | null;
  readonly marginOrder: number;
  readonly chosen: number;
  readonly isRight: boolean | null;
  readonly isRightNormalized: boolean | null;
  /** JSON of the document as it was received. */
  readonly body: string;
}

/** Of an integer of PostgreSQL. */
const MAX_INTEGER = 2 ** 31 - 1;

export function toStoredDocument(fields: DocumentFields): StoredDocument {
  const { id, gold, log_likelihoods, values } = fields;
  const margin = marginOf(log_likelihoods, gold);
  const isRight = values.acc ?? values.exact_match;
  return {
    document: id,
    margin,
    marginOrder:
      margin === null ? -MAX_INTEGER : Math.max(-MAX_INTEGER, Math.min(MAX_INTEGER, Math.round(margin * 1000))),
    chosen: chosenOf({ logLikelihoods: log_likelihoods, values }),
    isRight: isRight === undefined ? null : isRight > 0,
    isRightNormalized: values.acc_norm === undefined ? null : values.acc_norm > 0,
    body: JSON.stringify(fields),
  };
}

export function toEvaluationDocument({ body, margin, isRight, isRightNormalized }: StoredDocument): EvaluationDocument {
  // The body was validated before it was stored.
  const fields = JSON.parse(body) as DocumentFields;
  return { ...fields, margin, is_right: isRight, is_right_normalized: isRightNormalized };
}

export function toDocumentChange({
  before,
  after,
}: {
  readonly before: StoredDocument;
  readonly after: StoredDocument;
}): DocumentChange {
  return {
    id: before.document,
    is_flipped: before.chosen !== after.chosen,
    margin_change: before.margin === null || after.margin === null ? null : after.margin - before.margin,
    before: toEvaluationDocument(before),
    after: toEvaluationDocument(after),
  };
}

/** The report of an evaluation without its documents. */
export function headOf({ head }: Pick<Evaluation, 'head'>): EvaluationCreate {
  // The head was validated before it was stored, perhaps by another version of the server.
  return JSON.parse(head) as EvaluationCreate;
}

export function receivedOf({ received }: Pick<Evaluation, 'received'>): readonly number[] {
  // The service wrote the list.
  return JSON.parse(received) as readonly number[];
}

/** Whether every document of every task is stored. */
export function isComplete(evaluation: Pick<Evaluation, 'head' | 'received'>): boolean {
  const received = receivedOf(evaluation);
  return headOf(evaluation).tasks.every((task, at) => task.document_count === (received[at] ?? 0));
}

export function toEvaluationGet(evaluation: Evaluation): EvaluationGet {
  const { id, name, sizeBytes, createdAt } = evaluation;
  const head = headOf(evaluation);
  const received = receivedOf(evaluation);
  const tasks = head.tasks.map((task, at) => ({ ...task, received: received[at] ?? 0 }));
  return {
    ...head,
    id,
    name,
    tasks,
    is_complete: isComplete(evaluation),
    size: sizeBytes,
    created_at: toTimestamp(createdAt),
  };
}
