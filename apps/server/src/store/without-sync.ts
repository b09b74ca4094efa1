import { type SQL, sql } from 'drizzle-orm';

/**
 * In the `RETURNING` of a statement that changes rows: its transaction is committed without a wait until the disk has it. Others see the change as
 * ever; a crash of the database within the next second may take it back. For what a crash may take back.
 */
export const withoutSync: SQL<string> = sql<string>`set_config('synchronous_commit', 'off', true)`;
