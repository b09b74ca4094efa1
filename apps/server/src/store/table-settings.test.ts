import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { describeOnEveryStore } from '../testing/test-store.ts';
import { returnedRows } from './returned-rows.ts';

const optionsSchema = z.object({ name: z.string(), options: z.array(z.string()) });

describeOnEveryStore('settings of tables', (store) => {
  test('tables that every run changes have room for it in their pages, and are vacuumed early and without pauses', async () => {
    const found = await store().db.execute(
      sql`SELECT relname AS name, reloptions AS options FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND reloptions IS NOT NULL`,
    );
    const settings = returnedRows(found, optionsSchema).map(
      ({ name, options }) => [name, [...options].sort()] as const,
    );
    assert.deepEqual(Object.fromEntries(settings), {
      node_prefixes: [
        'autovacuum_vacuum_cost_delay=0',
        'autovacuum_vacuum_scale_factor=0.05',
        'autovacuum_vacuum_threshold=500',
      ],
      nodes: [
        'autovacuum_vacuum_cost_delay=0',
        'autovacuum_vacuum_scale_factor=0',
        'autovacuum_vacuum_threshold=200',
        'fillfactor=50',
      ],
      runs: [
        'autovacuum_vacuum_cost_delay=0',
        'autovacuum_vacuum_scale_factor=0.01',
        'autovacuum_vacuum_threshold=1000',
        'fillfactor=70',
      ],
      usage_reservations: [
        'autovacuum_vacuum_cost_delay=0',
        'autovacuum_vacuum_scale_factor=0.01',
        'autovacuum_vacuum_threshold=1000',
        'fillfactor=70',
      ],
    });
  });
});
