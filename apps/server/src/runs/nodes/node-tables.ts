/** The server processes that share a store, and their models, as the migrations 0029 and 0033 to 0037 create them. */

import { sql } from 'drizzle-orm';
import { bigint, boolean, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { bytea, moment } from '../../store/columns.ts';

export const nodes = pgTable('nodes', {
  id: text('id').primaryKey(),
  url: text('url'),
  startedAt: moment('started_at').notNull().default(sql`now()`),
  beatAt: moment('beat_at').notNull().default(sql`now()`),
  slots: integer('slots').notNull().default(0),
  busy: integer('busy').notNull().default(0),
  isDraining: boolean('is_draining').notNull().default(false),
  models: text('models').array().notNull().default(sql`'{}'::text[]`),
  capabilities: text('capabilities').array(),
  signsTime: boolean('signs_time').notNull().default(false),
});

export const nodeSecret = pgTable('node_secret', {
  onlyRow: boolean('only_row').primaryKey().default(true),
  secret: text('secret').notNull(),
});

export const tokenizers = pgTable('tokenizers', {
  hash: text('hash').primaryKey(),
  data: bytea('data').notNull(),
});

export const nodeModels = pgTable('node_models', {
  pipelineId: text('pipeline_id').primaryKey(),
  info: text('info').notNull(),
  tokenizer: text('tokenizer')
    .notNull()
    .references(() => tokenizers.hash),
  registeredAt: moment('registered_at').notNull().default(sql`now()`),
});

export const nodePrefixes = pgTable(
  'node_prefixes',
  {
    hash: bigint('hash', { mode: 'bigint' }).notNull(),
    nodeId: text('node_id')
      .notNull()
      .references(() => nodes.id, { onDelete: 'cascade' }),
  },
  ({ hash, nodeId }) => [primaryKey({ columns: [hash, nodeId] })],
);
