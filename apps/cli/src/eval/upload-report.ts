/** Stores a report with a server: its head, then its documents in pieces. What the server has is not stored again. */
import type { DocumentTexts, EvaluationReport } from '@gptj-cloud/evals';
import type { Evaluation, NewEvaluation, NewEvaluationDocument, PipelineCloud } from '@gptj-cloud/sdk';

export interface ReportUpload {
  readonly api: Pick<PipelineCloud, 'evaluations'>;
  readonly report: EvaluationReport;
  /** SHA-256 of the report's file. */
  readonly hash: string;
  readonly name: string;
  /** The texts of the documents of a task of the report, in any order; empty: there are none. */
  readonly textsOf: (task: number) => Iterable<DocumentTexts> | Promise<Iterable<DocumentTexts>>;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/** Of a piece: the server takes 500 documents and 1 MiB. */
const MAX_PIECE_DOCUMENTS = 500;
const MAX_PIECE_LENGTH = 200_000;
/** Characters of the texts of a document. The server takes twice as many. */
const MAX_TEXT = 32_000;
/** Neither JSON bodies nor stores hold these. */
const UNSTORABLE = /[^\P{Cc}\t\n\r]|\p{Surrogate}/gu;

export async function uploadReport(upload: ReportUpload): Promise<Evaluation> {
  const { api, report, textsOf, signal, onProgress } = upload;
  const total = report.tasks.reduce((sum, { documentCount }) => sum + documentCount, 0);
  let done = 0;
  onProgress(done, total);
  let stored = await api.evaluations.create(toNewEvaluation(upload), { signal });
  for (const [at, task] of report.tasks.entries()) {
    const isStored = stored.tasks[at]?.received === task.documentCount;
    const texts = new Map<number, DocumentTexts>();
    if (!isStored) for (const each of await textsOf(at)) texts.set(each.id, each);
    const documents = task.documents.map((document) => toNewDocument(document, texts.get(document.id)));
    for (const piece of isStored ? [] : toPieces(documents)) {
      stored = await api.evaluations.addDocuments(stored.id, at, piece, { signal });
      onProgress(done + (stored.tasks[at]?.received ?? 0), total);
    }
    done += task.documentCount;
    onProgress(done, total);
  }
  return stored;
}

function toNewEvaluation({ report, hash, name }: ReportUpload): NewEvaluation {
  const { format: _, tasks, ...rest } = report;
  return {
    ...rest,
    name,
    hash,
    tasks: tasks.map(({ dataSha256, requestsSha256, documents: _, ...task }) => ({
      ...task,
      dataHash: dataSha256,
      requestsHash: requestsSha256,
    })),
  };
}

function toNewDocument(
  document: EvaluationReport['tasks'][number]['documents'][number],
  texts: DocumentTexts | undefined,
): NewEvaluationDocument {
  if (texts === undefined) return { ...document, context: null, choices: [], continuation: null, answer: null };
  const { context, choices, continuation, answer } = texts;
  // A quarter each: the context, the choices, the continuation, the answer.
  const longest = MAX_TEXT / 4;
  return {
    ...document,
    // Its end decides.
    context: cutStart(storable(context), longest),
    choices: choices.map((choice) => cutEnd(storable(choice), Math.floor(longest / choices.length))),
    continuation: continuation === null ? null : cutEnd(storable(continuation), longest),
    answer: answer === null ? null : cutEnd(storable(answer), longest),
  };
}

function storable(text: string): string {
  return text.replace(UNSTORABLE, '\ufffd');
}

function cutEnd(text: string, length: number): string {
  return text.length <= length ? text : `${storable(text.slice(0, length - 1))}…`;
}

function cutStart(text: string, length: number): string {
  return text.length <= length ? text : `…${storable(text.slice(1 - length))}`;
}

function* toPieces(documents: readonly NewEvaluationDocument[]): Generator<readonly NewEvaluationDocument[]> {
  let piece: NewEvaluationDocument[] = [];
  let length = 0;
  for (const document of documents) {
    const added = JSON.stringify(document).length;
    if (piece.length === MAX_PIECE_DOCUMENTS || (piece.length > 0 && length + added > MAX_PIECE_LENGTH)) {
      yield piece;
      piece = [];
      length = 0;
    }
    piece.push(document);
    length += added;
  }
  if (piece.length > 0) yield piece;
}
