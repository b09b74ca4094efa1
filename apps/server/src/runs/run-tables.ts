/** Files, data and runs, as the migrations in `store/migrations` create them. */
import { bigint, boolean, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { bytea, moment } from '../store/columns.ts';

export const files = pgTable('files', {
  id: text('id').primaryKey(),
  projectId: text('project_id').notNull(),
  name: text('name').notNull(),
  path: text('path').notNull().unique(),
  /** Null: they are in `file_slices`. */
  bytes: bytea('bytes'),
  createdAt: moment('created_at').notNull(),
  sizeBytes: bigint('size_bytes', { mode: 'number' }).notNull(),
  /** False while its slices are being written. */
  isStored: boolean('is_stored').notNull(),
});

export const fileSlices = pgTable(
  'file_slices',
  {
    fileId: text('file_id').notNull(),
    index: integer('index').notNull(),
    bytes: bytea('bytes').notNull(),
  },
  ({ fileId, index }) => [primaryKey({ columns: [fileId, index] })],
);

export const data = pgTable('data', {
  id: text('id').primaryKey(),
  projectId: text('project_id').notNull(),
  fileId: text('file_id')
    .notNull()
    .references(() => files.id),
  createdAt: moment('created_at').notNull(),
});

export const runs = pgTable('runs', {
  id: text('id').primaryKey(),
  projectId: text('project_id').notNull(),
  apiKeyId: text('api_key_id'),
  admissionTicket: text('admission_ticket'),
  isAsync: boolean('is_async').notNull().default(false),
  priority: integer('priority').notNull().default(0),
  attempts: integer('attempts').notNull().default(0),
  ownDeaths: integer('own_deaths').notNull().default(0),
  leaseOwner: text('lease_owner'),
  leaseExpiresAt: moment('lease_expires_at'),
  cancelRequestedAt: moment('cancel_requested_at'),
  idempotencyKey: text('idempotency_key'),
  requestHash: text('request_hash'),
  pipelineId: text('pipeline_id').notNull(),
  dataId: text('data_id')
    .notNull()
    .references(() => data.id),
  state: text('state').notNull(),
  createdAt: moment('created_at').notNull(),
  startedAt: moment('started_at'),
  endedAt: moment('ended_at'),
  computeTimeMs: integer('compute_time_ms'),
  resourceType: text('resource_type'),
  minGpuVramMb: integer('min_gpu_vram_mb'),
  resultFileId: text('result_file_id').references(() => files.id),
  resultPreview: text('result_preview'),
  error: text('error'),
  errorException: text('error_exception'),
  errorTraceback: text('error_traceback'),
  promptTokens: integer('prompt_tokens'),
  generatedTokens: integer('generated_tokens'),
  cachedTokens: integer('cached_tokens'),
  seed: bigint('seed', { mode: 'number' }),
  warnings: text('warnings'),
  finishReasons: text('finish_reasons'),
  computedTokens: integer('computed_tokens'),
  /** The heads are null in runs from before they were stored. */
  promptHead: text('prompt_head'),
  outputHead: text('output_head'),
  searchText: text('search_text'),
  queuedMs: integer('queued_ms'),
  firstTokenMs: integer('first_token_ms'),
  executedBy: text('executed_by'),
  isStreamed: boolean('is_streamed').notNull().default(false),
  /** Readers at servers that did not accept it. */
  followers: integer('followers').notNull().default(0),
  /** Empty in runs that ended before it was stored. */
  accountId: text('account_id').notNull().default(''),
  /** Keyed hashes of the beginnings of its prompt. Null in runs that have ended. */
  prefixHashes: bigint('prefix_hashes', { mode: 'bigint' }).array(),
  /** What its engine must have (`needOf`). Null: nothing that not every engine has. */
  needs: text('needs'),
});

/** Ended runs by the hour of their acceptance, as the migration 0025 creates it. Triggers on `runs` keep it. */
export const runSums = pgTable(
  'run_sums',
  {
    projectId: text('project_id').notNull(),
    hour: moment('hour').notNull(),
    pipelineId: text('pipeline_id').notNull(),
    /** Empty where it is unknown. */
    resourceType: text('resource_type').notNull(),
    runs: integer('runs').notNull(),
    succeeded: integer('succeeded').notNull(),
    failed: integer('failed').notNull(),
    computeMs: bigint('compute_ms', { mode: 'number' }).notNull(),
  },
  ({ projectId, hour, pipelineId, resourceType }) => [
    primaryKey({ columns: [projectId, hour, pipelineId, resourceType] }),
  ],
);
