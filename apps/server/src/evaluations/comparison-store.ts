/** The documents that two evaluations both have, read as pairs. */
import { formatCursor, invalidParameter, type PageCursor } from '@gptj-cloud/protocol';
import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../store/db.ts';
import { loadRows, type Page } from '../store/page.ts';
import { returnedRows } from '../store/returned-rows.ts';
import type { StoredDocument } from './evaluation.ts';
import { fitPage, type TaskKey } from './evaluation-store.ts';
import { evaluationDocuments } from './evaluation-tables.ts';

/** A task of two evaluations with the same requests. */
export interface TaskPair {
  readonly before: TaskKey;
  readonly after: TaskKey;
}

/** How an answer changed. Right and wrong are by one of the accuracies. */
export interface ChangeFilter {
  readonly kind: 'flipped' | 'gained' | 'lost';
  readonly by: 'acc' | 'acc_norm';
}

export interface DocumentPair {
  readonly before: StoredDocument;
  readonly after: StoredDocument;
}

const countSchema = z.coerce.number();
const sumsSchema = z.object({
  documents: countSchema,
  flips: countSchema,
  right: z.object({ before: z.number(), after: z.number(), gained: z.number(), lost: z.number() }),
  normalized: z.object({ before: z.number(), after: z.number(), gained: z.number(), lost: z.number() }),
});
/** Counts of the documents that both have. */
export type PairSums = z.infer<typeof sumsSchema>;

/**
 * Before its statistics have new evaluations, the database expects one document of each and would compare every document of one with
 * every document of the other.
 */
async function withoutNestedLoops<Value>(db: Database, read: (tx: Database) => Promise<Value>): Promise<Value> {
  return await db.transaction(async (tx) => {
    await tx.execute(sql`SET LOCAL enable_nestloop = off`);
    return await read(tx);
  });
}

const joined = ({ before, after }: TaskPair): SQL => sql`
  evaluation_documents a JOIN evaluation_documents b
    ON b.evaluation_id = ${after.evaluationId} AND b.task = ${after.task} AND b.document = a.document
  WHERE a.evaluation_id = ${before.evaluationId} AND a.task = ${before.task}`;

export async function sumPairs(db: Database, pair: TaskPair): Promise<PairSums> {
  const counts = (column: 'is_right' | 'is_right_normalized'): SQL => {
    const [a, b] = [sql.raw(`a.${column}`), sql.raw(`b.${column}`)];
    return sql`json_build_object('before', count(*) FILTER (WHERE ${a}), 'after', count(*) FILTER (WHERE ${b}),
      'gained', count(*) FILTER (WHERE NOT ${a} AND ${b}), 'lost', count(*) FILTER (WHERE ${a} AND NOT ${b}))`;
  };
  const statement = sql`
    SELECT count(*) AS documents, count(*) FILTER (WHERE a.chosen <> b.chosen) AS flips,
      ${counts('is_right')} AS right, ${counts('is_right_normalized')} AS normalized
    FROM ${joined(pair)}`;
  const rows = await withoutNestedLoops(db, (tx) => tx.execute(statement));
  return returnedRows(rows, sumsSchema)[0]!;
}

const numbersSchema = z
  .string()
  .nullable()
  // The list was validated before it was stored.
  .transform((text) => JSON.parse(text ?? '[]') as readonly number[]);
const scoresSchema = z.object({ document: z.number(), scores: numbersSchema });

/** The log-likelihoods of a document in both. */
export interface PairScores {
  readonly document: number;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const SCORES_BATCH = 2000;

/** The log-likelihoods of all pairs of a task with `count` documents, in batches. */
export async function* readScores(
  db: Database,
  { before, after }: TaskPair,
  count: number,
): AsyncGenerator<readonly PairScores[]> {
  for (let first = 0; first < count; first += SCORES_BATCH) {
    const others = new Map((await scoresFrom(db, after, first)).map(({ document, scores }) => [document, scores]));
    yield (await scoresFrom(db, before, first)).flatMap(({ document, scores }) => {
      const other = others.get(document);
      return other === undefined ? [] : [{ document, before: scores, after: other }];
    });
  }
}

async function scoresFrom(db: Database, { evaluationId, task }: TaskKey, first: number) {
  // A body begins with id, gold and log_likelihoods, and inside its texts the quotes would be escaped. Parsing all of it would cost
  // more than the rest of the comparison.
  const rows = await db.execute(sql`
    SELECT document, substring(body from '"log_likelihoods":(\\[[^]]*\\])') AS scores FROM evaluation_documents
    WHERE evaluation_id = ${evaluationId} AND task = ${task}
      AND document >= ${first} AND document < ${first + SCORES_BATCH}
    ORDER BY document`);
  return returnedRows(rows, scoresSchema);
}

/** Above the rank of every pair whose answer did not flip. */
const FLIPPED = 2 ** 31;
/** Flipped answers first, then by how far the margin moved, in thousandths. */
const rank = sql`(CASE WHEN a.chosen <> b.chosen THEN ${FLIPPED}::bigint ELSE 0 END
  + least(${FLIPPED - 1}::float8, round(abs(coalesce(b.margin - a.margin, 0)) * 1000))::bigint)`;
const keySchema = z.object({ id: z.number(), rank: z.string() });

export interface ChangePage {
  readonly skip: number;
  readonly limit: number;
  readonly cursor?: PageCursor | undefined;
}

/** A page of pairs, those that changed most first. */
export async function listPairs(
  db: Database,
  pair: TaskPair,
  { skip, limit, cursor }: ChangePage,
  filter: ChangeFilter | null,
): Promise<Page<DocumentPair>> {
  const from = sql`FROM ${joined(pair)} ${filter === null ? sql`` : sql`AND ${changed(filter)}`}`;
  const page = sql`
    SELECT a.document AS id, ${rank}::text AS rank ${from} ${cursor === undefined ? sql`` : sql`AND ${behind(cursor)}`}
    ORDER BY ${rank} DESC, a.document OFFSET ${skip} LIMIT ${limit + 1}`;
  const { total, keys } = await withoutNestedLoops(db, async (tx) => ({
    total:
      cursor?.total ??
      returnedRows(await tx.execute(sql`SELECT count(*) AS n ${from}`), z.object({ n: countSchema }))[0]!.n,
    keys: returnedRows(await tx.execute(page), keySchema),
  }));
  const load = async (ids: readonly number[]): Promise<readonly DocumentPair[]> =>
    await loadPairs(db, pair, await fitPage(db, [pair.before, pair.after], ids));
  const loaded = await loadRows(keys.slice(0, limit), load, ({ before }) => before.document);
  const last = loaded.lastKey === keys.at(-1) ? undefined : loaded.lastKey;
  return {
    total,
    rows: loaded.rows,
    nextCursor: last === undefined ? null : formatCursor({ micros: last.rank, id: String(last.id), total, skip: 0 }),
  };
}

function changed({ kind, by }: ChangeFilter): SQL {
  if (kind === 'flipped') return sql`a.chosen <> b.chosen`;
  const column = by === 'acc' ? 'is_right' : 'is_right_normalized';
  const [wrong, right] = kind === 'gained' ? ['a', 'b'] : ['b', 'a'];
  return sql.raw(`NOT ${wrong}.${column} AND ${right}.${column}`);
}

function behind({ micros, id }: PageCursor): SQL {
  const at = Number(micros);
  if (!/^\d{1,9}$/.test(id) || at < 0 || at >= 2 * FLIPPED) {
    throw invalidParameter('query->cursor', 'expected the next_cursor of an earlier page of this list');
  }
  return sql`(${rank} < ${at}::bigint OR (${rank} = ${at}::bigint AND a.document > ${Number(id)}::integer))`;
}

async function loadPairs(
  db: Database,
  { before, after }: TaskPair,
  ids: readonly number[],
): Promise<readonly DocumentPair[]> {
  const { evaluationId, task, document } = evaluationDocuments;
  const load = async (key: TaskKey): Promise<ReadonlyMap<number, StoredDocument>> => {
    const rows = await db
      .select()
      .from(evaluationDocuments)
      .where(and(eq(evaluationId, key.evaluationId), eq(task, key.task), inArray(document, [...ids])));
    return new Map(rows.map((row) => [row.document, row]));
  };
  const [first, second] = [await load(before), await load(after)];
  return [...first.values()].flatMap((each) => {
    const other = second.get(each.document);
    return other === undefined ? [] : [{ before: each, after: other }];
  });
}
