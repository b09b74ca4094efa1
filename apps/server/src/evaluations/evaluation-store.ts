import { isId, type PageQuery } from '@gptj-cloud/protocol';
import { and, asc, eq, gt, inArray, lt, or, sql } from 'drizzle-orm';
import type { Database } from '../store/db.ts';
import { findPage, type Page } from '../store/page.ts';
import type { Evaluation, StoredDocument } from './evaluation.ts';
import { evaluationDocuments, evaluations } from './evaluation-tables.ts';

/** False when the project has the report. */
export async function insertEvaluation(tx: Database, evaluation: Evaluation): Promise<boolean> {
  const rows = await tx
    .insert(evaluations)
    .values(evaluation)
    .onConflictDoNothing({ target: [evaluations.projectId, evaluations.hash] })
    .returning({ id: evaluations.id });
  return rows.length > 0;
}

export async function findEvaluation(db: Database, projectId: string, id: string): Promise<Evaluation | null> {
  if (!isId('evaluation', id)) return null;
  const rows = await db.select().from(evaluations).where(mine(projectId, id));
  return rows[0] ?? null;
}

/** The same, and it neither changes nor goes until the transaction ends. */
export async function lockEvaluation(tx: Database, projectId: string, id: string): Promise<Evaluation | null> {
  if (!isId('evaluation', id)) return null;
  const rows = await tx.select().from(evaluations).where(mine(projectId, id)).for('update');
  return rows[0] ?? null;
}

export async function findByHash(db: Database, projectId: string, hash: string): Promise<Evaluation | null> {
  const rows = await db
    .select()
    .from(evaluations)
    .where(and(eq(evaluations.projectId, projectId), eq(evaluations.hash, hash)));
  return rows[0] ?? null;
}

export async function deleteEvaluation(tx: Database, projectId: string, id: string): Promise<Evaluation | null> {
  if (!isId('evaluation', id)) return null;
  const rows = await tx.delete(evaluations).where(mine(projectId, id)).returning();
  return rows[0] ?? null;
}

/** Evaluations of all projects that were begun before `horizon`, by id. */
export async function findOlder(
  db: Database,
  { horizon, afterId, limit }: { readonly horizon: Date; readonly afterId: string; readonly limit: number },
): Promise<readonly Evaluation[]> {
  const { id, createdAt } = evaluations;
  return await db
    .select()
    .from(evaluations)
    .where(and(gt(id, afterId), lt(createdAt, horizon)))
    .orderBy(asc(id))
    .limit(limit);
}

/** False when documents have come since it was read. */
export async function removeUnchanged(
  db: Database,
  { id, received }: Pick<Evaluation, 'id' | 'received'>,
): Promise<boolean> {
  const rows = await db
    .delete(evaluations)
    .where(and(eq(evaluations.id, id), eq(evaluations.received, received)))
    .returning({ id: evaluations.id });
  return rows.length > 0;
}

/** Bytes of the reports of a page: 20 of the largest ones, or 100 of ten times the size that those of `gptj eval` have. */
const MAX_LIST_BYTES = 4 * 2 ** 20;

export async function listEvaluations(
  db: Database,
  projectId: string,
  page: PageQuery<'created_at'>,
): Promise<Page<Evaluation>> {
  const { createdAt: time, id, head, received } = evaluations;
  const load = async (ids: readonly string[]) => {
    const bytes = sql`octet_length(${head}) + octet_length(${received})`.mapWith(Number);
    const sizes = await db
      .select({ id, bytes })
      .from(evaluations)
      .where(inArray(id, [...ids]));
    const bytesOf = new Map(sizes.map((row) => [row.id, row.bytes]));
    const fitting = firstWithin(MAX_LIST_BYTES, ids, (each) => bytesOf.get(each) ?? 0);
    return await db
      .select()
      .from(evaluations)
      .where(inArray(id, [...fitting]));
  };
  const source = { table: evaluations, time, id, where: eq(evaluations.projectId, projectId) };
  return await findPage(db, source, page, load, (evaluation) => evaluation.id);
}

/** Which of the documents of a task are stored. */
export async function findStoredIds(
  db: Database,
  { evaluationId, task }: TaskKey,
  ids: readonly number[],
): Promise<ReadonlySet<number>> {
  const { document } = evaluationDocuments;
  const rows = await db
    .select({ document })
    .from(evaluationDocuments)
    .where(and(ofTask({ evaluationId, task }), inArray(document, [...ids])));
  return new Set(rows.map((row) => row.document));
}

/** The documents of one task of an evaluation. */
export interface TaskKey {
  readonly evaluationId: string;
  /** Index in the report. */
  readonly task: number;
}

/** As one parameter: one for each value costs more than the insertion. */
export async function insertDocuments(
  tx: Database,
  { evaluationId, task }: TaskKey,
  documents: readonly StoredDocument[],
): Promise<void> {
  await tx.execute(sql`
    INSERT INTO evaluation_documents
      (evaluation_id, task, document, margin, margin_order, chosen, is_right, is_right_normalized, body)
    SELECT ${evaluationId}, ${task}, document, margin, "marginOrder", chosen, "isRight", "isRightNormalized", body
    FROM jsonb_to_recordset(${JSON.stringify(documents)}::text::jsonb) AS d (
      document integer, margin double precision, "marginOrder" integer, chosen integer, "isRight" boolean,
      "isRightNormalized" boolean, body text)`);
}

export async function updateReceived(
  tx: Database,
  { id, received, sizeBytes }: Pick<Evaluation, 'id' | 'received' | 'sizeBytes'>,
): Promise<void> {
  await tx.update(evaluations).set({ received, sizeBytes }).where(eq(evaluations.id, id));
}

export type DocumentOrder = 'id' | 'margin';

/** Documents whose answer is right, or wrong, by one of the accuracies. */
export interface DocumentFilter {
  readonly isRight: boolean;
  readonly by: 'acc' | 'acc_norm';
}

export async function listDocuments(
  db: Database,
  key: TaskKey,
  page: PageQuery<DocumentOrder>,
  filter: DocumentFilter | null,
): Promise<Page<StoredDocument>> {
  const { document, marginOrder, isRight, isRightNormalized } = evaluationDocuments;
  const load = async (ids: readonly number[]) =>
    await db
      .select()
      .from(evaluationDocuments)
      .where(and(ofTask(key), inArray(document, [...(await fitPage(db, [key], ids))])));
  const flag = filter?.by === 'acc_norm' ? isRightNormalized : isRight;
  const source = {
    table: evaluationDocuments,
    time: page.orderBy.field === 'margin' ? marginOrder : document,
    id: document,
    where: and(ofTask(key), filter === null ? undefined : eq(flag, filter.isRight)),
  };
  return await findPage(db, source, page, load, (row) => row.document);
}

/** Bytes of the documents of a page: reading and writing them occupies the thread of the server. */
const MAX_PAGE_BYTES = 8 * 2 ** 20;

/** As many of the first documents as a page holds where it shows each of them once for every task; at least one. */
export async function fitPage(
  db: Database,
  tasks: readonly TaskKey[],
  ids: readonly number[],
): Promise<readonly number[]> {
  const { document, body } = evaluationDocuments;
  const rows = await db
    .select({ document, bytes: sql`max(octet_length(${body}))`.mapWith(Number) })
    .from(evaluationDocuments)
    .where(and(or(...tasks.map(ofTask)), inArray(document, [...ids])))
    .groupBy(document);
  const bytesOf = new Map(rows.map((row) => [row.document, row.bytes]));
  return firstWithin(MAX_PAGE_BYTES, ids, (id) => (bytesOf.get(id) ?? 0) * tasks.length);
}

/** As many of the first ids as have at most `maxBytes` in all; at least one. */
function firstWithin<Id>(maxBytes: number, ids: readonly Id[], bytesOf: (id: Id) => number): readonly Id[] {
  let bytes = 0;
  const end = ids.findIndex((id, at) => {
    bytes += bytesOf(id);
    return bytes > maxBytes && at > 0;
  });
  return end === -1 ? ids : ids.slice(0, end);
}

function ofTask({ evaluationId, task }: TaskKey) {
  return and(eq(evaluationDocuments.evaluationId, evaluationId), eq(evaluationDocuments.task, task));
}

function mine(projectId: string, id: string) {
  return and(eq(evaluations.id, id), eq(evaluations.projectId, projectId));
}
