/** The tables as Drizzle sees them. The SQL in `migrations/` is what makes them; keep the two in step. */
import { boolean, customType, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });
const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date', precision: 3 });

export const files = pgTable('files', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  path: text('path').notNull().unique(),
  bytes: bytea('bytes').notNull(),
  createdAt: moment('created_at').notNull(),
});

export const data = pgTable('data', {
  id: text('id').primaryKey(),
  fileId: text('file_id')
    .notNull()
    .references(() => files.id),
  createdAt: moment('created_at').notNull(),
});

export const runs = pgTable('runs', {
  id: text('id').primaryKey(),
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
});

export const apiKeys = pgTable('api_keys', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  hash: text('hash').notNull().unique(),
  source: text('source', { enum: ['generated', 'environment'] }).notNull(),
  createdAt: moment('created_at').notNull(),
  userId: text('user_id').notNull(),
  projectId: text('project_id').notNull(),
  scopes: text('scopes').notNull(),
  hint: text('hint').notNull(),
  isEnabled: boolean('is_enabled').notNull().default(true),
  expiresAt: moment('expires_at'),
  lastUsedAt: moment('last_used_at'),
  updatedAt: moment('updated_at').notNull(),
});
