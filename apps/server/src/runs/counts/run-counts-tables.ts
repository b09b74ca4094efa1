/** Counts of runs and requests, as the migration 0020 creates them. */
import { bigint, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core';
import { moment } from '../../store/columns.ts';

export const runCounts = pgTable(
  'run_counts',
  {
    projectId: text('project_id').notNull(),
    at: moment('at').notNull(),
    /** Length from `at` on: 1 or 24. */
    hours: smallint('hours').notNull(),
    kind: text('kind').notNull(),
    /** The code of an error, or the number of a bin. */
    key: text('key').notNull(),
    count: bigint('count', { mode: 'number' }).notNull(),
  },
  ({ projectId, at, kind, key, hours }) => [primaryKey({ columns: [projectId, at, kind, key, hours] })],
);
