import { isId, type PageQuery, type PipelineTagGet } from '@gptj-cloud/protocol';
import { and, eq, inArray } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { findPage, type Page } from '../../store/page.ts';
import { pipelineTags } from './pipeline-tag-tables.ts';

/** A project's name for a pipeline. */
export interface PipelineTag {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly pipelineId: string;
  readonly createdAt: Date;
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
  page: PageQuery<'created_at'>,
): Promise<Page<PipelineTag>> {
  const wanted = and(
    eq(pipelineTags.projectId, filter.projectId),
    filter.pipelineId === null ? undefined : eq(pipelineTags.pipelineId, filter.pipelineId),
  );
  const { createdAt: time, id } = pipelineTags;
  const load = async (ids: readonly string[]) =>
    await db
      .select()
      .from(pipelineTags)
      .where(inArray(id, [...ids]));
  return await findPage(db, { table: pipelineTags, time, id, where: wanted }, page, load, (tag) => tag.id);
}

export function toPipelineTagGet({ id, name, projectId, pipelineId }: PipelineTag): PipelineTagGet {
  return { id, name, project_id: projectId, pipeline_id: pipelineId };
}

function mine(projectId: string, id: string) {
  return and(eq(pipelineTags.id, id), eq(pipelineTags.projectId, projectId));
}
