/**
 * The evaluations of projects; those of other projects count as absent. A report is uploaded as its head and pieces of its
 * documents. Both can be sent again: a client that was stopped goes on with the documents that are missing.
 */
import {
  ApiError,
  type DocumentChange,
  type EvaluationComparison,
  type EvaluationCreate,
  type EvaluationDocument,
  type EvaluationGet,
  type EvaluationPiece,
  invalidParameter,
  newId,
  type PageQuery,
  type Paginated,
} from '@gptj-cloud/protocol';
import { type Caller, recordAudit } from '../audit/audit-log.ts';
import type { Principal } from '../identity/principal.ts';
import type { StorageLimits } from '../metering/storage/storage-limits.ts';
import type { Database } from '../store/db.ts';
import { toPaginated } from '../store/page.ts';
import { compareEvaluations, pairOf, type TestPerplexities } from './comparison.ts';
import { COMPARISON_LIMITS, createComparisonGate } from './comparison-gate.ts';
import { type ChangeFilter, type ChangePage, listPairs } from './comparison-store.ts';
import {
  type Evaluation,
  headOf,
  receivedOf,
  toDocumentChange,
  toEvaluationDocument,
  toEvaluationGet,
  toStoredDocument,
} from './evaluation.ts';
import {
  type DocumentFilter,
  type DocumentOrder,
  deleteEvaluation,
  findByHash,
  findEvaluation,
  findStoredIds,
  insertDocuments,
  insertEvaluation,
  listDocuments,
  listEvaluations,
  lockEvaluation,
  updateReceived,
} from './evaluation-store.ts';

export interface EvaluationServiceDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly storage: Pick<StorageLimits, 'require'>;
}

/** The documents of one task of an evaluation. */
export interface DocumentQuery {
  readonly id: string;
  /** Index of the task in the report. */
  readonly task: number;
  readonly page: PageQuery<DocumentOrder>;
  /** Null: all documents. */
  readonly filter: DocumentFilter | null;
}

/** Two evaluations of a project. */
export interface EvaluationPair {
  readonly before: string;
  readonly after: string;
}

/** How the answers to the documents of one task changed. */
export interface ChangeQuery extends EvaluationPair {
  /** Index of the task in the first report. */
  readonly task: number;
  readonly page: ChangePage;
  /** Null: all documents. */
  readonly filter: ChangeFilter | null;
}

export interface EvaluationService {
  /** The evaluation of the report, stored now or before. Throws `storage_full`, `conflict`. */
  create(principal: Principal, request: EvaluationCreate, caller: Caller): Promise<EvaluationGet>;
  /** Store documents; those that are stored stay as they are. Throws `not_found`, `invalid_request`, `storage_full`. */
  addDocuments(principal: Principal, id: string, piece: EvaluationPiece): Promise<EvaluationGet>;
  /** Throws `not_found`. */
  get(projectId: string, id: string): Promise<EvaluationGet>;
  list(projectId: string, page: PageQuery<'created_at'>): Promise<Paginated<EvaluationGet>>;
  /** Throws `not_found`, `invalid_request`. */
  documents(projectId: string, query: DocumentQuery): Promise<Paginated<EvaluationDocument>>;
  /** What the second one changes. Throws `not_found`, `conflict`, `too_many_requests_at_once`, `server_busy`. */
  compare(projectId: string, pair: EvaluationPair, test: TestPerplexities): Promise<EvaluationComparison>;
  /** The documents that both have, those that changed most first. Throws the same, and `invalid_request`. */
  changes(projectId: string, query: ChangeQuery): Promise<Paginated<DocumentChange>>;
  /** Throws `not_found`. */
  remove(principal: Principal, id: string, caller: Caller): Promise<void>;
}

export function createEvaluationService({ db, clock, storage }: EvaluationServiceDeps): EvaluationService {
  const find = async (projectId: string, id: string): Promise<Evaluation> =>
    present(await findEvaluation(db, projectId, id), id);
  const gate = createComparisonGate(COMPARISON_LIMITS);
  return {
    async create(principal, request, caller) {
      const { projectId } = principal;
      const { hash, name } = request;
      const head = JSON.stringify({ ...request, name: '' });
      const known = (found: Evaluation): EvaluationGet => {
        if (JSON.stringify({ ...headOf(found), name: '' }) === head) return toEvaluationGet(found);
        throw new ApiError('conflict', {
          reason: `evaluation ${found.id} has the SHA-256 of this report and another content`,
          remedy: 'send the SHA-256 of the file of this report',
        });
      };
      const before = await findByHash(db, projectId, hash);
      if (before !== null) return known(before);
      const evaluation: Evaluation = {
        id: newId('evaluation'),
        projectId,
        name,
        hash,
        head: JSON.stringify(request),
        received: JSON.stringify(request.tasks.map(() => 0)),
        sizeBytes: Buffer.byteLength(JSON.stringify(request)),
        createdAt: clock(),
      };
      return await db.transaction(async (tx) => {
        await storage.require(tx, { principal, bytes: evaluation.sizeBytes, items: 1 });
        if (await insertEvaluation(tx, evaluation)) {
          const details = { name, model: request.model.model };
          await recordAudit(tx, clock(), caller, {
            action: 'evaluation.create',
            subject: evaluation.id,
            projectId,
            details,
          });
          return toEvaluationGet(evaluation);
        }
        // Another request has stored the report meanwhile.
        return known(present(await findByHash(tx, projectId, hash), hash));
      });
    },
    async addDocuments(principal, id, { task, documents }) {
      return await db.transaction(async (tx) => {
        const evaluation = present(await lockEvaluation(tx, principal.projectId, id), id);
        const { document_count: count } = taskOf(evaluation, task, 'body->task');
        documents.forEach((document, at) => {
          if (document.id < count) return;
          const expected = `expected a place below ${count}, the documents of the task, got ${document.id}`;
          throw invalidParameter(`body->documents->${at}->id`, expected);
        });
        const key = { evaluationId: id, task };
        const ids = [...new Set(documents.map((document) => document.id))];
        const stored = await findStoredIds(tx, key, ids);
        // Of documents that a piece has twice, the first.
        const missing = ids.flatMap((each) => (stored.has(each) ? [] : [documents.find((one) => one.id === each)!]));
        if (missing.length === 0) return toEvaluationGet(evaluation);
        const rows = missing.map(toStoredDocument);
        const bytes = rows.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
        await storage.require(tx, { principal, bytes, items: 0 });
        await insertDocuments(tx, key, rows);
        const received = receivedOf(evaluation).map((each, at) => (at === task ? each + rows.length : each));
        const after = {
          ...evaluation,
          received: JSON.stringify(received),
          sizeBytes: evaluation.sizeBytes + bytes,
        };
        await updateReceived(tx, after);
        return toEvaluationGet(after);
      });
    },
    get: async (projectId, id) => toEvaluationGet(await find(projectId, id)),
    async list(projectId, page) {
      return toPaginated(page, await listEvaluations(db, projectId, page), toEvaluationGet);
    },
    async documents(projectId, { id, task, page, filter }) {
      taskOf(await find(projectId, id), task, 'query->task');
      const found = await listDocuments(db, { evaluationId: id, task }, page, filter);
      return toPaginated(page, found, toEvaluationDocument);
    },
    async compare(projectId, pair, test) {
      const [before, after] = [await find(projectId, pair.before), await find(projectId, pair.after)];
      return await gate.pass(projectId, () => compareEvaluations(db, { before, after }, test));
    },
    async changes(projectId, { task, page, filter, ...ids }) {
      const [before, after] = [await find(projectId, ids.before), await find(projectId, ids.after)];
      const pair = pairOf(before, after, task, taskOf(before, task, 'query->task'));
      const found = await gate.pass(projectId, () => listPairs(db, pair, page, filter));
      return toPaginated({ ...page, orderBy: { field: 'change', direction: 'desc' } }, found, toDocumentChange);
    },
    async remove({ projectId }, id, caller) {
      await db.transaction(async (tx) => {
        const { name } = present(await deleteEvaluation(tx, projectId, id), id);
        const event = { action: 'evaluation.delete', subject: id, projectId, details: { name } } as const;
        await recordAudit(tx, clock(), caller, event);
      });
    },
  };
}

function taskOf(evaluation: Evaluation, task: number, parameter: string): EvaluationCreate['tasks'][number] {
  const { tasks } = headOf(evaluation);
  const found = tasks[task];
  if (found !== undefined) return found;
  throw invalidParameter(parameter, `expected an index below ${tasks.length}, the tasks of the report, got ${task}`);
}

function present(evaluation: Evaluation | null, id: string): Evaluation {
  if (evaluation === null) throw new ApiError('not_found', { kind: 'evaluation', id: id.slice(0, 100) });
  return evaluation;
}
