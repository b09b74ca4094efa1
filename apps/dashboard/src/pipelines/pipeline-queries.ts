/** What the server serves, and the names of the project for it. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';

const ENGINE_POLL_MS = 5_000;
/** The list of a project is short: plans allow some hundred tags. */
export const TAGS_PER_PAGE = 50;

export const engineQuery = queryOptions({
  queryKey: keys.engine,
  refetchInterval: ENGINE_POLL_MS,
  queryFn: ({ signal }) => cloud().engine.get({ signal }),
});

export const pipelinesQuery = queryOptions({
  queryKey: keys.pipelines,
  staleTime: 60_000,
  queryFn: async ({ signal }) => (await cloud().pipelines.list({ signal, limit: 100 })).items,
});

export const pipelineQuery = (id: string) =>
  queryOptions({
    queryKey: [...keys.pipelines, 'one', id],
    queryFn: ({ signal }) => cloud().pipelines.get(id, { signal }),
  });

export const TAGS_KEY = [...keys.pipelines, 'tags'] as const;

/** One page of tags, of all pipelines or of one. */
export const tagsQuery = (skip: number, pipelineId?: string) =>
  queryOptions({
    queryKey: [...TAGS_KEY, pipelineId ?? null, skip],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      cloud().tags.list({ signal, skip, limit: TAGS_PER_PAGE, ...(pipelineId !== undefined && { pipelineId }) }),
  });

/** The names by which the compatible APIs know the model. */
export const modelNamesQuery = queryOptions({
  queryKey: [...keys.pipelines, 'model-names'],
  staleTime: 60_000,
  queryFn: async ({ signal }): Promise<readonly string[]> => {
    const reply = await fetch('/v1/models', { signal, headers: { accept: 'application/json' } });
    const body: unknown = await reply.json();
    const entries: unknown = typeof body === 'object' && body !== null && 'data' in body ? body.data : null;
    if (!Array.isArray(entries)) throw new Error('The server did not list the names of its model.');
    return entries.map((entry: { readonly id?: unknown }) => String(entry.id));
  },
});
