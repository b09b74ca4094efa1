import { pgTable, text } from 'drizzle-orm/pg-core';
import { moment } from '../../store/columns.ts';

export const servedModels = pgTable('served_models', {
  name: text('name').primaryKey(),
  model: text('model').notNull(),
  createdAt: moment('created_at').notNull(),
});
