/** The pipelines of the server, and the project's tags for them. */
import type { Endpoint } from '../connection.ts';
import { exchange, remove } from '../exchange.ts';
import { arrayAt, objectAt, orNull, pageOf, stringAt } from '../fields.ts';
import { type CallOptions, type ListOptions, pageQuery } from '../options.ts';
import { type PagePromise, pagesBySkip, pagesOf } from '../pages.ts';

export interface Pipeline {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  /** Built-in tags: names that `runPipeline` accepts in place of the id. */
  readonly tags: readonly string[];
}

/** A name of the form `name:tag` for a pipeline, valid in one project. */
export interface PipelineTag {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly pipelineId: string;
}

export interface Pipelines {
  list(options?: ListOptions): PagePromise<Pipeline>;
  /** By id or tag. */
  get(idOrTag: string, options?: CallOptions): Promise<Pipeline>;
}

export interface PipelineTags {
  /** `pipeline` is an id or another tag. Never retried. */
  create(tag: { readonly name: string; readonly pipeline: string }, options?: CallOptions): Promise<PipelineTag>;
  /** All tags of the project, or those of one pipeline. */
  list(options?: ListOptions & { readonly pipelineId?: string }): PagePromise<PipelineTag>;
  getByName(name: string, options?: CallOptions): Promise<PipelineTag>;
  /** Assign the tag to another pipeline. */
  move(id: string, pipeline: string, options?: CallOptions): Promise<PipelineTag>;
  delete(id: string, options?: CallOptions): Promise<void>;
}

export function createPipelines(endpoint: Endpoint): Pipelines {
  return {
    list: (options = {}) =>
      pagesBySkip(options, async (page) => {
        const path = `/v2/pipelines?${pageQuery(page)}`;
        return pageOf(await exchange(endpoint, { method: 'GET', path, signal: page.signal }), parsePipeline);
      }),
    async get(idOrTag, { signal } = {}) {
      const path = `/v2/pipelines/${encodeURIComponent(idOrTag)}`;
      return parsePipeline(await exchange(endpoint, { method: 'GET', path, signal }));
    },
  };
}

export function createPipelineTags(endpoint: Endpoint): PipelineTags {
  const root = '/v2/pipeline-tags';
  return {
    async create({ name, pipeline }, { signal } = {}) {
      const body = { name, pipeline_id: pipeline };
      return parseTag(await exchange(endpoint, { method: 'POST', path: root, body, signal }));
    },
    list: (options = {}) =>
      pagesOf(options, async (page) => {
        const query = pageQuery(page);
        if (page.pipelineId !== undefined) query.set('pipeline_id', page.pipelineId);
        const call = { method: 'GET', path: `${root}?${query}`, signal: page.signal } as const;
        return pageOf(await exchange(endpoint, call), parseTag);
      }),
    async getByName(name, { signal } = {}) {
      const path = `${root}/by-name/${encodeURIComponent(name)}`;
      return parseTag(await exchange(endpoint, { method: 'GET', path, signal }));
    },
    async move(id, pipeline, { signal } = {}) {
      const path = `${root}/${encodeURIComponent(id)}`;
      const body = { pipeline_id: pipeline };
      return parseTag(await exchange(endpoint, { method: 'PATCH', path, body, signal }));
    },
    async delete(id, options = {}) {
      await remove(endpoint, `${root}/${encodeURIComponent(id)}`, options);
    },
  };
}

function parsePipeline(reply: unknown): Pipeline {
  const raw = objectAt(reply, 'a pipeline');
  return {
    id: stringAt(raw.id, 'id'),
    name: stringAt(raw.name, 'name'),
    description: orNull(raw.description, (value) => stringAt(value, 'description')),
    tags: arrayAt(raw.tags ?? [], 'tags').map((tag) => stringAt(tag, 'tags')),
  };
}

function parseTag(reply: unknown): PipelineTag {
  const raw = objectAt(reply, 'a pipeline tag');
  return {
    id: stringAt(raw.id, 'id'),
    name: stringAt(raw.name, 'name'),
    projectId: stringAt(raw.project_id, 'project_id'),
    pipelineId: stringAt(raw.pipeline_id, 'pipeline_id'),
  };
}
