import { isId, type PageQuery } from '@gptj-cloud/protocol';
import { and, eq, inArray } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { findPage, type Page } from '../../store/page.ts';
import { presets } from './preset-tables.ts';

/** Parameters under a name. */
export interface Preset {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  /** JSON of an object. */
  readonly parameters: string;
  readonly prompt: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export async function countPresets(db: Database, projectId: string): Promise<number> {
  return await db.$count(presets, eq(presets.projectId, projectId));
}

export async function isNameFree(db: Database, { id, projectId, name }: Preset): Promise<boolean> {
  const rows = await db
    .select({ id: presets.id })
    .from(presets)
    .where(and(eq(presets.projectId, projectId), eq(presets.name, name)));
  return rows.every((row) => row.id === id);
}

export async function insertPreset(tx: Database, preset: Preset): Promise<void> {
  await tx.insert(presets).values(preset);
}

export async function findPreset(db: Database, projectId: string, id: string): Promise<Preset | null> {
  if (!isId('preset', id)) return null;
  const rows = await db.select().from(presets).where(mine(projectId, id));
  return rows[0] ?? null;
}

/** False when the preset was deleted meanwhile. */
export async function updatePreset(tx: Database, preset: Preset): Promise<boolean> {
  const { id, projectId, createdAt, ...columns } = preset;
  const rows = await tx.update(presets).set(columns).where(mine(projectId, id)).returning({ id: presets.id });
  return rows.length > 0;
}

export async function deletePreset(db: Database, projectId: string, id: string): Promise<boolean> {
  if (!isId('preset', id)) return false;
  const rows = await db.delete(presets).where(mine(projectId, id)).returning({ id: presets.id });
  return rows.length > 0;
}

export async function listPresets(
  db: Database,
  projectId: string,
  page: PageQuery<'created_at'>,
): Promise<Page<Preset>> {
  const { createdAt: time, id } = presets;
  const load = async (ids: readonly string[]) =>
    await db
      .select()
      .from(presets)
      .where(inArray(id, [...ids]));
  const source = { table: presets, time, id, where: eq(presets.projectId, projectId) };
  return await findPage(db, source, page, load, (preset) => preset.id);
}

function mine(projectId: string, id: string) {
  return and(eq(presets.id, id), eq(presets.projectId, projectId));
}
