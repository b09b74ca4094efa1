import { isId, type PipelineTagGet } from '@gptj-cloud/protocol';
import { and, asc, count, desc, eq } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { pipelineTags } from './pipeline-tag-tables.ts';

/** A project's name for a pipeline. */
export interface PipelineTag {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly pipelineId: string;
  readonly createdAt: Date;
}

export interface TagPage {
  readonly skip: number;
  readonly limit: number;
  readonly orderBy: { readonly direction: 'asc' | 'desc' };
}

/** False when the project has a tag of this name. */
export async function insertTag(db: Database, tag: PipelineTag): Promise<boolean> {
  const rows = await db.insert(pipelineTags).values(tag).onConflictDoNothing().returning({ id: pipelineTags.id });
  return rows.length > 0;
}

export async function countTags(db: Database, projectId: string): Promise<number> {
  return await db.$count(pipelineTags, eq(pipelineTags.projectId, projectId));
}

/** `name` must be one that a tag can have. */
export async function findTagByName(db: Database, projectId: string, name: string): Promise<PipelineTag | null> {
  const rows = await db
    .select()
    .from(pipelineTags)
    .where(and(eq(pipelineTags.projectId, projectId), eq(pipelineTags.name, name)));
  return rows[0] ?? null;
}

/** Null when the project has no such tag. */
export async function moveTag(
  db: Database,
  projectId: string,
  id: string,
  pipelineId: string,
): Promise<PipelineTag | null> {
  if (!isId('pipeline_tag', id)) return null;
  const rows = await db.update(pipelineTags).set({ pipelineId }).where(mine(projectId, id)).returning();
  return rows[0] ?? null;
}

export async function deleteTag(db: Database, projectId: string, id: string): Promise<boolean> {
  if (!isId('pipeline_tag', id)) return false;
  const rows = await db.delete(pipelineTags).where(mine(projectId, id)).returning({ id: pipelineTags.id });
  return rows.length > 0;
}

export async function listTags(
  db: Database,
  filter: { readonly projectId: string; readonly pipelineId: string | null },
  page: TagPage,
): Promise<{ readonly total: number; readonly tags: readonly PipelineTag[] }> {
  const wanted = and(
    eq(pipelineTags.projectId, filter.projectId),
    filter.pipelineId === null ? undefined : eq(pipelineTags.pipelineId, filter.pipelineId),
  );
  const direction = page.orderBy.direction === 'asc' ? asc : desc;
  const rows = await db
    .select()
    .from(pipelineTags)
    .where(wanted)
    .orderBy(direction(pipelineTags.createdAt), direction(pipelineTags.id))
    .limit(page.limit)
    .offset(page.skip);
  const totals = await db.select({ total: count() }).from(pipelineTags).where(wanted);
  return { total: totals[0]?.total ?? 0, tags: rows };
}

export function toPipelineTagGet({ id, name, projectId, pipelineId }: PipelineTag): PipelineTagGet {
  return { id, name, project_id: projectId, pipeline_id: pipelineId };
}

function mine(projectId: string, id: string) {
  return and(eq(pipelineTags.id, id), eq(pipelineTags.projectId, projectId));
}
