/** The models of the nodes with engines, as nodes without one read them. They stay when the nodes have ended. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { EngineInfo } from '@gptj-cloud/engine';
import type { TokenizerData } from '@gptj-cloud/tokenizer';
import { and, eq, gt, lt, notExists, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../../store/db.ts';
import { nodeModels, nodes, tokenizers } from './node-tables.ts';

export interface ModelOfNodes {
  readonly pipelineId: string;
  readonly info: EngineInfo;
  readonly vocabulary: TokenizerData;
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
              sql`${nodeModels.info}::jsonb ->> 'modelName' = ANY(${nodes.models})`,
            ),
          ),
      ),
    ),
  );
}

/** What the nodes serve: the models of the pipelines in the order of their ids. */
export async function findModelsOfNodes(db: Database): Promise<readonly ModelOfNodes[]> {
  const rows = await db.select().from(nodeModels).orderBy(nodeModels.pipelineId);
  const read = new Map<string, TokenizerData>();
  const found: ModelOfNodes[] = [];
  for (const { pipelineId, info, tokenizer } of rows) {
    const vocabulary = read.get(tokenizer) ?? (await readVocabulary(db, tokenizer));
    if (vocabulary === null) continue;
    read.set(tokenizer, vocabulary);
    found.push({ pipelineId, vocabulary, info: infoSchema.parse(JSON.parse(info)) });
  }
  return found;
}

async function readVocabulary(db: Database, hash: string): Promise<TokenizerData | null> {
  const [row] = await db.select({ data: tokenizers.data }).from(tokenizers).where(eq(tokenizers.hash, hash));
  if (row === undefined) return null;
  const json = await promisify(gunzip)(row.data, { maxOutputLength: MAX_VOCABULARY_BYTES });
  return vocabularySchema.parse(JSON.parse(json.toString('utf8')));
}
