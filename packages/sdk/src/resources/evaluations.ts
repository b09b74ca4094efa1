/** Reports of evaluations, and how a model answered each of their documents. */
import type { Endpoint } from '../connection.ts';
import { exchange, read, remove } from '../exchange.ts';
import { booleanAt, dateAt, listOf, nullable, numberAt, oneOf, pageOf, record, stringAt } from '../fields.ts';
import { type CallOptions, type ListOptions, pageQuery, queryOf } from '../options.ts';
import { type PagePromise, pagesOf } from '../pages.ts';
import {
  type DocumentChange,
  type DocumentChangeOptions,
  type EvaluationComparison,
  parseChange,
  parseComparison,
} from './evaluation-comparisons.ts';
import {
  type EvaluationDocument,
  type NewEvaluationDocument,
  parseDocument,
  valuesOf,
} from './evaluation-documents.ts';

/** A score of a task. */
export interface EvaluationMetric {
  readonly metric: string;
  /** Null: not a finite number. */
  readonly value: number | null;
  readonly standardError: number | null;
}

export interface EvaluationTask {
  readonly task: string;
  readonly version: number;
  readonly form: 'harness' | 'published';
  readonly shots: number;
  readonly documentCount: number;
  readonly requestCount: number;
  /** SHA-256 of the task's file; null: a file of the caller. */
  readonly dataHash: string | null;
  /** Runs with the same value can be compared document by document. */
  readonly requestsHash: string;
  readonly metrics: readonly EvaluationMetric[];
}

/** What was evaluated. */
export interface EvaluatedModel {
  readonly adapter: string;
  readonly model: string;
  /** SHA-256 of the file, or the address of the server. */
  readonly weights: string;
  readonly type: string | null;
  readonly engine: string | null;
}

/** A report of `gptj eval` without its documents. */
export interface NewEvaluation {
  readonly name: string;
  /** SHA-256 of the file of the report: a report is stored once in a project. */
  readonly hash: string;
  readonly model: EvaluatedModel;
  readonly versions: Readonly<Record<string, string>>;
  readonly seeds: { readonly fewShot: number; readonly bootstrap: string };
  /** Documents of each task at most; null: all. */
  readonly limit: number | null;
  readonly selfChecks: readonly string[];
  readonly skippedSelfChecks: readonly string[];
  readonly tasks: readonly EvaluationTask[];
}

export interface StoredEvaluationTask extends EvaluationTask {
  /** Documents that the server has. */
  readonly received: number;
}

export interface Evaluation extends NewEvaluation {
  readonly id: string;
  readonly tasks: readonly StoredEvaluationTask[];
  /** Whether the server has every document of every task. */
  readonly isComplete: boolean;
  /** Stored bytes. */
  readonly size: number;
  readonly createdAt: Date;
}

export interface EvaluationDocumentOptions extends Omit<ListOptions, 'order'> {
  /** Index of the task in the report. Default 0. */
  readonly task?: number | undefined;
  readonly order?: 'id:asc' | 'id:desc' | 'margin:asc' | 'margin:desc' | undefined;
  /** Only documents with a right answer, or with a wrong one. */
  readonly isRight?: boolean | undefined;
  /** The accuracy that `isRight` means. Default `acc`. */
  readonly by?: 'acc' | 'acc_norm' | undefined;
}

export interface Evaluations {
  /** The evaluation of the report, stored now or before: safe to send again. */
  create(report: NewEvaluation, options?: CallOptions): Promise<Evaluation>;
  /** Store at most 500 documents and 1 MiB of the task with this index. Those that are stored stay as they are. */
  addDocuments(
    id: string,
    task: number,
    documents: readonly NewEvaluationDocument[],
    options?: CallOptions,
  ): Promise<Evaluation>;
  list(options?: ListOptions): PagePromise<Evaluation>;
  get(id: string, options?: CallOptions): Promise<Evaluation>;
  documents(id: string, options?: EvaluationDocumentOptions): PagePromise<EvaluationDocument>;
  /** What the evaluation `other` changes. */
  compare(id: string, other: string, options?: CallOptions): Promise<EvaluationComparison>;
  /** How the answers changed: flipped ones first, then those whose margin moved most. */
  changes(id: string, other: string, options?: DocumentChangeOptions): PagePromise<DocumentChange>;
  delete(id: string, options?: CallOptions): Promise<void>;
}

const parseTask = record<StoredEvaluationTask>({
  task: stringAt,
  version: numberAt,
  form: oneOf('harness', 'published'),
  shots: numberAt,
  documentCount: numberAt,
  requestCount: numberAt,
  dataHash: nullable(stringAt),
  requestsHash: stringAt,
  metrics: listOf(
    record<EvaluationMetric>({ metric: stringAt, value: nullable(numberAt), standardError: nullable(numberAt) }),
  ),
  received: numberAt,
});

const parseEvaluation = record<Evaluation>({
  id: stringAt,
  name: stringAt,
  hash: stringAt,
  model: record<EvaluatedModel>({
    adapter: stringAt,
    model: stringAt,
    weights: stringAt,
    type: nullable(stringAt),
    engine: nullable(stringAt),
  }),
  versions: valuesOf(stringAt),
  seeds: record<NewEvaluation['seeds']>({ fewShot: numberAt, bootstrap: stringAt }),
  limit: nullable(numberAt),
  selfChecks: listOf(stringAt),
  skippedSelfChecks: listOf(stringAt),
  tasks: listOf(parseTask),
  isComplete: booleanAt,
  size: numberAt,
  createdAt: dateAt,
});

function toWireTask(task: EvaluationTask): object {
  const { documentCount, requestCount, dataHash, requestsHash, metrics, ...rest } = task;
  return {
    ...rest,
    document_count: documentCount,
    request_count: requestCount,
    data_hash: dataHash,
    requests_hash: requestsHash,
    metrics: metrics.map(({ metric, value, standardError }) => ({ metric, value, standard_error: standardError })),
  };
}

export function createEvaluations(endpoint: Endpoint): Evaluations {
  const root = '/v2/evaluations';
  const pathOf = (id: string): string => `${root}/${encodeURIComponent(id)}`;
  // An upload changes nothing that is stored, so it may be sent again.
  const upload = async (path: string, body: object, { signal }: CallOptions = {}): Promise<Evaluation> =>
    parseEvaluation(await exchange(endpoint, { method: 'POST', path, body, signal, isIdempotent: true }));
  return {
    create: async ({ seeds, selfChecks, skippedSelfChecks, tasks, ...report }, options) => {
      const body = {
        ...report,
        seeds: { few_shot: seeds.fewShot, bootstrap: seeds.bootstrap },
        self_checks: selfChecks,
        skipped_self_checks: skippedSelfChecks,
        tasks: tasks.map(toWireTask),
      };
      return await upload(root, body, options);
    },
    addDocuments: async (id, task, documents, options) => {
      const body = {
        task,
        documents: documents.map(({ logLikelihoods, ...rest }) => ({ ...rest, log_likelihoods: logLikelihoods })),
      };
      return await upload(`${pathOf(id)}/documents`, body, options);
    },
    list: (options = {}) =>
      pagesOf(
        options,
        async (page) =>
          await read(endpoint, `${root}?${pageQuery(page)}`, (reply) => pageOf(reply, parseEvaluation), page),
      ),
    get: async (id, options) => await read(endpoint, pathOf(id), parseEvaluation, options),
    documents: (id, options = {}) =>
      pagesOf(options, async (page) => {
        const { task = 0, order, isRight, by, limit = 20, skip = 0, cursor } = page;
        const query = queryOf({
          task: String(task),
          order_by: order,
          is_right: isRight === undefined ? undefined : String(isRight),
          by,
          limit: String(limit),
          skip: String(skip),
          cursor,
        });
        return await read(endpoint, `${pathOf(id)}/documents${query}`, (reply) => pageOf(reply, parseDocument), page);
      }),
    compare: async (id, other, options) =>
      await read(endpoint, `${pathOf(id)}/comparison${queryOf({ other })}`, parseComparison, options),
    changes: (id, other, options = {}) =>
      pagesOf(options, async (page) => {
        const { task = 0, change, by, limit = 20, skip = 0, cursor } = page;
        const query = queryOf({
          other,
          task: String(task),
          change,
          by,
          limit: String(limit),
          skip: String(skip),
          cursor,
        });
        const path = `${pathOf(id)}/comparison/documents${query}`;
        return await read(endpoint, path, (reply) => pageOf(reply, parseChange), page);
      }),
    delete: async (id, options) => await remove(endpoint, pathOf(id), options),
  };
}
