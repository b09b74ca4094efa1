import {
  ApiError,
  newId,
  type PageQuery,
  type Paginated,
  type PresetCreate,
  type PresetGet,
  type PresetPatch,
  presetParametersSchema,
  toTimestamp,
} from '@gptj-cloud/protocol';
import type { Principal } from '../../identity/principal.ts';
import type { StorageLimits } from '../../metering/storage/storage-limits.ts';
import { findStorage } from '../../metering/storage/storage-store.ts';
import type { Database } from '../../store/db.ts';
import { toPaginated } from '../../store/page.ts';
import {
  countPresets,
  deletePreset,
  findPreset,
  insertPreset,
  isNameFree,
  listPresets,
  type Preset,
  updatePreset,
} from './preset-store.ts';

export interface PresetServiceDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly storage: StorageLimits;
}

/** The presets of projects; those of other projects count as absent. */
export interface PresetService {
  /** Throws `already_exists`, `limit_reached`, `storage_full`. */
  create(principal: Principal, request: PresetCreate): Promise<PresetGet>;
  /** Throws `not_found`. */
  get(projectId: string, id: string): Promise<PresetGet>;
  list(projectId: string, page: PageQuery<'created_at'>): Promise<Paginated<PresetGet>>;
  /** Throws `not_found`, `already_exists`, `storage_full`. */
  update(principal: Principal, id: string, patch: PresetPatch): Promise<PresetGet>;
  /** Throws `not_found`. */
  remove(projectId: string, id: string): Promise<void>;
}

/** In one project. */
const MAX_PRESETS = 200;

export function createPresetService({ db, clock, storage }: PresetServiceDeps): PresetService {
  const absent = (id: string): ApiError => new ApiError('not_found', { kind: 'preset', id: id.slice(0, 100) });
  const refuseTaken = async (tx: Database, preset: Preset): Promise<void> => {
    if (!(await isNameFree(tx, preset))) throw new ApiError('already_exists', { what: 'the name of that preset' });
  };
  const find = async (tx: Database, projectId: string, id: string): Promise<Preset> => {
    const preset = await findPreset(tx, projectId, id);
    if (preset === null) throw absent(id);
    return preset;
  };
  return {
    async create(principal, { name, parameters, prompt = null }) {
      const { projectId } = principal;
      const now = clock();
      const json = JSON.stringify(parameters);
      const id = newId('preset');
      const preset: Preset = { id, projectId, name, parameters: json, prompt, createdAt: now, updatedAt: now };
      await db.transaction(async (tx) => {
        // Locks the counts of the project: requests at the same time can neither pass a limit nor take one name.
        await storage.require(tx, { principal, bytes: sizeOf(preset), items: 1 });
        if ((await countPresets(tx, projectId)) >= MAX_PRESETS) {
          throw new ApiError('limit_reached', { limit: MAX_PRESETS, what: 'presets in a project' });
        }
        await refuseTaken(tx, preset);
        await insertPreset(tx, preset);
      });
      return toPresetGet(preset);
    },
    get: async (projectId, id) => toPresetGet(await find(db, projectId, id)),
    async list(projectId, page) {
      return toPaginated(page, await listPresets(db, projectId, page), toPresetGet);
    },
    async update(principal, id, { name, parameters, prompt }) {
      const { projectId } = principal;
      return await db.transaction(async (tx) => {
        await findStorage(tx, [projectId], { lock: true });
        const before = await find(tx, projectId, id);
        const after: Preset = {
          ...before,
          name: name ?? before.name,
          parameters: parameters === undefined ? before.parameters : JSON.stringify(parameters),
          prompt: prompt === undefined ? before.prompt : prompt,
          updatedAt: clock(),
        };
        const bytes = sizeOf(after) - sizeOf(before);
        // A preset that becomes smaller is stored although the account is full.
        if (bytes > 0) await storage.require(tx, { principal, bytes, items: 0 });
        await refuseTaken(tx, after);
        if (!(await updatePreset(tx, after))) throw absent(id);
        return toPresetGet(after);
      });
    },
    async remove(projectId, id) {
      if (!(await deletePreset(db, projectId, id))) throw absent(id);
    },
  };
}

/** As the trigger of the migration 0021 counts it. */
function sizeOf({ parameters, prompt }: Preset): number {
  return Buffer.byteLength(parameters) + Buffer.byteLength(prompt ?? '');
}

function toPresetGet({ id, name, parameters, prompt, createdAt, updatedAt }: Preset): PresetGet {
  return {
    id,
    name,
    parameters: presetParametersSchema.parse(JSON.parse(parameters)),
    prompt,
    created_at: toTimestamp(createdAt),
    updated_at: toTimestamp(updatedAt),
  };
}
