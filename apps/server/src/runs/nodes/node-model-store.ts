/** The models of the nodes with engines, as nodes without one read them. They stay when the nodes have ended. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { EngineInfo } from '@gptj-cloud/engine';
import type { TokenizerData } from '@gptj-cloud/tokenizer';
import { and, eq, gt, lt, ne, notExists, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../../store/db.ts';
import { isComputing } from './node-store.ts';
import { nodeModels, nodes, tokenizers } from './node-tables.ts';

export interface ModelOfNodes {
  readonly pipelineId: string;
  readonly info: EngineInfo;
  readonly vocabulary: TokenizerData;
}

/** The same, with the hash of its vocabulary. */
export interface NodeModel extends Pick<ModelOfNodes, 'pipelineId' | 'info'> {
  readonly tokenizer: string;
}

/** A model that no living node serves is forgotten after this time. */
const KEPT_DAYS = 1;
const MAX_VOCABULARY_BYTES = 64 * 2 ** 20;

const optionalToken = z.number().int().nullable();
const infoSchema: z.ZodType<EngineInfo> = z.object({
  kind: z.string(),
  modelName: z.string(),
  draftModelName: z.string().nullable(),
  quantisation: z.string(),
  config: z.object({
    vocabSize: z.number().int(),
    contextLength: z.number().int(),
    embeddingSize: z.number().int(),
    layerCount: z.number().int(),
    headCount: z.number().int(),
    rotaryDim: z.number().int(),
    feedForwardSize: z.number().int(),
    layerNormEpsilon: z.number(),
    bosTokenId: optionalToken,
    eosTokenId: optionalToken,
    eosTokenIds: z.array(z.number().int()),
  }),
  cacheCells: z.number().int(),
  backend: z.custom<EngineInfo['backend']>((value) => typeof value === 'string'),
  adapters: z.array(z.string()),
  earlyExitLayers: z.number().int().nullable(),
  loadMs: z.number(),
});
const vocabularySchema: z.ZodType<TokenizerData> = z.object({
  tokens: z.array(z.string()),
  merges: z.array(z.string()),
  addedTokens: z.array(
    z.object({
      id: z.number().int(),
      content: z.string(),
      special: z.boolean(),
      lstrip: z.boolean(),
      rstrip: z.boolean(),
      singleWord: z.boolean(),
      normalized: z.boolean(),
    }),
  ),
  unused: z.array(z.number().int()),
});

/** Store what this node serves, in place of what others have stored for the same pipelines. */
export async function registerModels(db: Database, models: readonly ModelOfNodes[]): Promise<void> {
  for (const { pipelineId, info, vocabulary } of models) {
    const json = JSON.stringify(vocabulary);
    const hash = createHash('sha256').update(json).digest('hex');
    const [known] = await db.select({ hash: tokenizers.hash }).from(tokenizers).where(eq(tokenizers.hash, hash));
    if (known === undefined) {
      await db
        .insert(tokenizers)
        .values({ hash, data: await promisify(gzip)(json) })
        .onConflictDoNothing();
    }
    const row = { info: JSON.stringify(info), tokenizer: hash };
    await db
      .insert(nodeModels)
      .values({ pipelineId, ...row })
      .onConflictDoUpdate({ target: nodeModels.pipelineId, set: { ...row, registeredAt: sql`now()` } });
  }
  await removeForgotten(db);
}

/**
 * Take back models that a node serves no longer, unless another one does. Each node reports what it serves before it calls this: of
 * several that end a model at the same time, the last one finds no other.
 */
export async function unregisterModels(
  db: Database,
  node: string,
  models: readonly { readonly pipelineId: string; readonly name: string }[],
): Promise<void> {
  for (const { pipelineId, name } of models) {
    const others = db
      .select({ id: nodes.id })
      .from(nodes)
      .where(and(ne(nodes.id, node), isComputing, sql`${name} = ANY(${nodes.models})`));
    await db.delete(nodeModels).where(and(eq(nodeModels.pipelineId, pipelineId), notExists(others)));
  }
}

async function removeForgotten(db: Database): Promise<void> {
  await db.delete(nodeModels).where(
    and(
      lt(nodeModels.registeredAt, sql`now() - make_interval(days => ${KEPT_DAYS})`),
      notExists(
        db
          .select({ id: nodes.id })
          .from(nodes)
          .where(
            and(
              gt(nodes.beatAt, sql`now() - make_interval(days => ${KEPT_DAYS})`),
              // One without an engine lists what is registered.
              gt(nodes.slots, 0),
              sql`${nodeModels.info}::jsonb ->> 'modelName' = ANY(${nodes.models})`,
            ),
          ),
      ),
    ),
  );
}

/** What the nodes serve: the models of the pipelines in the order of their ids. */
export async function findNodeModels(db: Database): Promise<readonly NodeModel[]> {
  const rows = await db
    .select({ pipelineId: nodeModels.pipelineId, info: nodeModels.info, tokenizer: nodeModels.tokenizer })
    .from(nodeModels)
    .orderBy(nodeModels.pipelineId);
  return rows.map(({ info, ...row }) => ({ ...row, info: infoSchema.parse(JSON.parse(info)) }));
}

/** The vocabulary of a hash; null: there is none. */
export async function readVocabulary(db: Database, hash: string): Promise<TokenizerData | null> {
  const [row] = await db.select({ data: tokenizers.data }).from(tokenizers).where(eq(tokenizers.hash, hash));
  if (row === undefined) return null;
  const json = await promisify(gunzip)(row.data, { maxOutputLength: MAX_VOCABULARY_BYTES });
  return vocabularySchema.parse(JSON.parse(json.toString('utf8')));
}
