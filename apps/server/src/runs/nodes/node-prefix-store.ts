/** Which nodes have which beginnings of prompts in their caches. */
import { and, eq, inArray, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../../store/db.ts';
import { returnedRows } from '../../store/returned-rows.ts';
import { nodePrefixes } from './node-tables.ts';

/** Rows that one question about holders reads: a beginning may be at every node. */
const MAX_READ = 2_000;

export interface PrefixChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Throws when the node has no row. */
export async function changeNodePrefixes(db: Database, nodeId: string, change: PrefixChange): Promise<void> {
  const { added, removed } = change;
  if (removed.length > 0) {
    const { hash } = nodePrefixes;
    await db.delete(nodePrefixes).where(and(eq(nodePrefixes.nodeId, nodeId), inArray(hash, removed.map(BigInt))));
  }
  if (added.length === 0) return;
  await db
    .insert(nodePrefixes)
    .values(added.map((hash) => ({ hash: BigInt(hash), nodeId })))
    .onConflictDoNothing();
}

/** Forget what an earlier report of the node said. */
export async function clearNodePrefixes(db: Database, nodeId: string): Promise<void> {
  await db.delete(nodePrefixes).where(eq(nodePrefixes.nodeId, nodeId));
}

/** Ids of nodes that have one of the beginnings, living or not. */
export async function findHolders(db: Database, hashes: readonly string[]): Promise<ReadonlySet<string>> {
  if (hashes.length === 0) return new Set();
  const found = await db.execute(sql`SELECT DISTINCT node_id AS id FROM (
    SELECT node_id FROM node_prefixes WHERE hash = ANY(${sql.param([...hashes])}::bigint[]) LIMIT ${MAX_READ}) p`);
  return new Set(returnedRows(found, z.object({ id: z.string() })).map(({ id }) => id));
}
