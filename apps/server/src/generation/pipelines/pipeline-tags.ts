import { createHash } from 'node:crypto';
import {
  ApiError,
  newId,
  type PageQuery,
  type Paginated,
  type PipelineTagCreate,
  type PipelineTagGet,
  pipelineTagNameSchema,
} from '@gptj-cloud/protocol';
import type { Principal } from '../../identity/principal.ts';
import { DEFAULT_PROJECT_ID } from '../../identity/users/first-user.ts';
import type { PlanBook } from '../../metering/plans/plan-book.ts';
import { findStorage } from '../../metering/storage/storage-store.ts';
import type { Database } from '../../store/db.ts';
import { toPaginated } from '../../store/page.ts';
import type { Pipeline } from './pipeline.ts';
import type { PipelineRegistry } from './pipeline-registry.ts';
import {
  countTags,
  deleteTag,
  findTagByName,
  insertTag,
  listTags,
  moveTag,
  toPipelineTagGet,
} from './pipeline-tag-store.ts';

export interface PipelineTagsDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly pipelines: PipelineRegistry;
  readonly plans: PlanBook;
}

/** Tags of pipelines: those that projects create, and the built-in ones. */
export interface PipelineTags {
  /** Resolve an id or a tag of the project. Throws `pipeline_unknown`. */
  resolve(projectId: string, idOrTag: string): Promise<Pipeline>;
  /**
   * Resolve the id or tag of a filter to an id; null when it is absent or empty, which clients send for "any". Throws
   * `pipeline_unknown` for an unknown tag; an unknown id is returned unchanged, because old runs may have it.
   */
  idOf(projectId: string, idOrTag: string | undefined): Promise<string | null>;
  /** Throws `tag_taken`, `pipeline_unknown`, `limit_reached`. */
  create(principal: Principal, request: PipelineTagCreate): Promise<PipelineTagGet>;
  /** Throws `name_unknown`. */
  byName(projectId: string, name: string): Promise<PipelineTagGet>;
  /** Throws `not_found`, `pipeline_unknown`. */
  move(projectId: string, id: string, pipelineId: string): Promise<PipelineTagGet>;
  /** Throws `not_found`. */
  remove(projectId: string, id: string): Promise<void>;
  list(projectId: string, pipelineId: string | null, page: PageQuery<'created_at'>): Promise<Paginated<PipelineTagGet>>;
}

export function createPipelineTags({ db, clock, pipelines, plans }: PipelineTagsDeps): PipelineTags {
  const absent = (id: string): ApiError => new ApiError('not_found', { kind: 'pipeline tag', id: id.slice(0, 100) });
  const find = async (projectId: string, name: string): Promise<PipelineTagGet | null> => {
    const pipeline = pipelines.get(name);
    if (pipeline?.tags.includes(name)) return builtInTag(name, pipeline.id);
    if (!pipelineTagNameSchema.safeParse(name).success) return null;
    const tag = await findTagByName(db, projectId, name);
    return tag === null ? null : toPipelineTagGet(tag);
  };
  const resolve = async (projectId: string, idOrTag: string): Promise<Pipeline> => {
    const known = pipelines.get(idOrTag);
    if (known !== null) return known;
    return pipelines.find((await find(projectId, idOrTag))?.pipeline_id ?? idOrTag);
  };
  return {
    resolve,
    async idOf(projectId, idOrTag = '') {
      if (idOrTag === '') return null;
      return idOrTag.includes(':') ? (await resolve(projectId, idOrTag)).id : idOrTag;
    },
    async create(principal, { name, pipeline_id: pipelineId }) {
      const { projectId } = principal;
      const pipeline = await resolve(projectId, pipelineId);
      const tag = { id: newId('pipeline_tag'), projectId, name, pipelineId: pipeline.id, createdAt: clock() };
      if (pipelines.get(name) !== null) throw new ApiError('tag_taken', { name });
      const limit = plans.planOf(principal).pipelineTags;
      await db.transaction(async (tx) => {
        // The lock keeps concurrent requests from passing the limit together.
        await findStorage(tx, [projectId], { lock: true });
        if (limit !== null && (await countTags(tx, projectId)) >= limit) {
          throw new ApiError('limit_reached', { limit, what: 'pipeline tags in a project' });
        }
        if (!(await insertTag(tx, tag))) throw new ApiError('tag_taken', { name });
      });
      return toPipelineTagGet(tag);
    },
    async byName(projectId, name) {
      const tag = await find(projectId, name);
      if (tag !== null) return tag;
      const remedy = 'GET /v2/pipeline-tags lists the tags of the project';
      throw new ApiError('name_unknown', { kind: 'pipeline tag', name: name.slice(0, 100), remedy });
    },
    async move(projectId, id, pipelineId) {
      const pipeline = await resolve(projectId, pipelineId);
      const tag = await moveTag(db, projectId, id, pipeline.id);
      if (tag === null) throw absent(id);
      return toPipelineTagGet(tag);
    },
    async remove(projectId, id) {
      if (!(await deleteTag(db, projectId, id))) throw absent(id);
    },
    async list(projectId, pipelineId, page) {
      return toPaginated(page, await listTags(db, { projectId, pipelineId }, page), toPipelineTagGet);
    },
  };
}

/** Built-in tags have no row: their id is derived from the name, and they cannot be changed. */
function builtInTag(name: string, pipelineId: string): PipelineTagGet {
  const digits = createHash('sha256').update(name).digest('hex').slice(0, 32);
  return { id: `pipeline_tag_${digits}`, name, project_id: DEFAULT_PROJECT_ID, pipeline_id: pipelineId };
}
