/** Parameters of runs under a name, shared by the members of a project. */
import type { Endpoint } from '../connection.ts';
import { read, remove, send } from '../exchange.ts';
import { dateAt, nullable, objectAt, pageOf, record, stringAt } from '../fields.ts';
import type { JsonObject } from '../json.ts';
import { type CallOptions, type ListOptions, pageQuery } from '../options.ts';
import { type PagePromise, pagesOf } from '../pages.ts';

export interface Preset {
  readonly id: string;
  readonly name: string;
  /** As a run takes them. */
  readonly parameters: JsonObject;
  readonly prompt: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface NewPreset {
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly prompt?: string | null | undefined;
}

export interface Presets {
  /** The name must be free in the project. Never retried. */
  create(preset: NewPreset, options?: CallOptions): Promise<Preset>;
  list(options?: ListOptions): PagePromise<Preset>;
  get(id: string, options?: CallOptions): Promise<Preset>;
  /** Absent fields stay as they are. */
  change(id: string, change: Partial<NewPreset>, options?: CallOptions): Promise<Preset>;
  delete(id: string, options?: CallOptions): Promise<void>;
}

const parsePreset = record<Preset>({
  id: stringAt,
  name: stringAt,
  parameters: objectAt,
  prompt: nullable(stringAt),
  createdAt: dateAt,
  updatedAt: dateAt,
});

export function createPresets(endpoint: Endpoint): Presets {
  const root = '/v2/presets';
  const pathOf = (id: string): string => `${root}/${encodeURIComponent(id)}`;
  return {
    create: async ({ name, parameters, prompt }, options) =>
      await send(endpoint, { path: root, body: { name, parameters, prompt } }, parsePreset, options),
    list: (options = {}) =>
      pagesOf(
        options,
        async (page) => await read(endpoint, `${root}?${pageQuery(page)}`, (reply) => pageOf(reply, parsePreset), page),
      ),
    get: async (id, options) => await read(endpoint, pathOf(id), parsePreset, options),
    change: async (id, { name, parameters, prompt }, options) =>
      await send(
        endpoint,
        { method: 'PATCH', path: pathOf(id), body: { name, parameters, prompt } },
        parsePreset,
        options,
      ),
    delete: async (id, options) => await remove(endpoint, pathOf(id), options),
  };
}
