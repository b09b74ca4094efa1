import * as protocol from '@gptj-cloud/protocol';
import { z } from 'zod';
import { ACCOUNT_OPERATIONS } from '../../api/account/account-operations.ts';
import { OAUTH_OPERATIONS } from '../../api/account/oauth-operations.ts';
import { PROJECT_OPERATIONS } from '../../api/account/project-operations.ts';
import { USAGE_OPERATIONS } from '../../api/account/usage-operations.ts';
import { COMPATIBLE_OPERATIONS } from '../../api/compatible-operations.ts';
import { STATUS_OPERATIONS } from '../../api/operator/status-operations.ts';
import { PIPELINE_OPERATIONS } from '../../api/pipeline-cloud/pipeline-operations.ts';
import { RUN_OPERATIONS } from '../../api/pipeline-cloud/run-operations.ts';
import type { Access, Content, DescribedSchema, JsonSchema, Operation, Parameter } from './operation.ts';

/** Everything that is described, in the order of the reference. */
export const OPERATIONS: readonly Operation[] = [
  ...RUN_OPERATIONS,
  ...PIPELINE_OPERATIONS,
  ...USAGE_OPERATIONS,
  ...ACCOUNT_OPERATIONS,
  ...OAUTH_OPERATIONS,
  ...PROJECT_OPERATIONS,
  ...COMPATIBLE_OPERATIONS,
  ...STATUS_OPERATIONS,
];

/** What the reference page reads of the document; the rest is for other tools. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: JsonSchema & { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly JsonSchema[];
  readonly parameters: readonly JsonSchema[];
  readonly requestBody?: { readonly required: boolean; readonly content: OpenApiContent };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: OpenApiContent }>>;
}

export type OpenApiContent = Readonly<Record<string, { readonly schema: JsonSchema }>>;

const SECURITY: Readonly<Record<Access, readonly JsonSchema[]>> = {
  public: [],
  token: [{ token: [] }, { session: [] }],
  session: [{ session: [] }],
  admin: [{ token: [] }, { session: [] }],
};

/** OpenAPI 3.1 of the operations, from the schemas that validate their bodies. */
export function openApiDocument(operations: readonly Operation[], version: string): OpenApiDocument {
  const schemas = new SchemaComponents();
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const operation of operations) {
    const path = openApiPath(operation.path);
    const methods = paths[path] ?? {};
    if (methods[operation.method] !== undefined) throw new Error(`${operation.method} ${path} is described twice`);
    methods[operation.method] = describe(operation, schemas);
    paths[path] = methods;
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'gptj-cloud',
      version,
      description:
        'GPT-J behind the Pipeline Cloud API of 2022, and behind the APIs of OpenAI, text-generation-inference and mesh-transformer-jax.',
    },
    paths,
    components: {
      schemas: schemas.all,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'An API token.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-gptj_session',
          description:
            'Cookie of a session; `gptj_session` without TLS. Writes carry the csrf_token of the session in X-CSRF-Token.',
        },
      },
    },
  };
}

/** `/v2/runs/:id` and `/models/:name{.+}` as OpenAPI writes them. */
export function openApiPath(path: string): string {
  return path.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, '{$1}');
}

function describe(operation: Operation, schemas: SchemaComponents): OpenApiOperation {
  const { method, path, tag, summary, description, access, parameters = [], body, replies, refusal } = operation;
  const content = (list: readonly Content[], io: 'input' | 'output'): OpenApiContent =>
    Object.fromEntries(
      list.map(({ type = 'application/json', schema }) => [type, { schema: schemas.use(schema, io) }]),
    );
  const inPath = [...openApiPath(path).matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const given = parameters.map(({ name, in: place, description: text, schema }: Parameter) => ({
    name,
    in: place,
    required: false,
    description: text,
    schema,
  }));
  const note = access === 'admin' ? 'For owners of the server.' : undefined;
  const texts = [description, note].filter((text) => text !== undefined);
  return {
    operationId: `${method}${openApiPath(path).replaceAll(/[^a-zA-Z0-9]+/g, '_')}`.replace(/_$/, ''),
    tags: [tag],
    summary,
    ...(texts.length === 0 ? {} : { description: texts.join(' ') }),
    security: SECURITY[access],
    parameters: [...inPath, ...given],
    ...(body === undefined ? {} : { requestBody: { required: true, content: content(body, 'input') } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(replies).map(([status, reply]) => [
          status,
          {
            description: reply.description,
            ...(reply.content === undefined ? {} : { content: content(reply.content, 'output') }),
          },
        ]),
      ),
      default: {
        description: 'A refusal: the status says of which kind, the body why and what to do.',
        content: content([{ schema: refusal ?? protocol.errorBodySchema }], 'output'),
      },
    },
  };
}

/** Schemas that the protocol exports go by their names and are written once; others stay where they are used. */
class SchemaComponents {
  readonly #names = z.registry<{ id: string }>();
  readonly #all: Record<string, JsonSchema> = {};

  constructor() {
    for (const [name, value] of Object.entries(protocol)) {
      if (name.endsWith('Schema') && value instanceof z.ZodType) {
        this.#names.add(value, { id: `${name.charAt(0).toUpperCase()}${name.slice(1, -'Schema'.length)}` });
      }
    }
  }

  /** In order of their names. */
  get all(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries(Object.entries(this.#all).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  use(schema: DescribedSchema, io: 'input' | 'output'): JsonSchema {
    if (!(schema instanceof z.ZodType)) return schema;
    // Inside of another one a named schema becomes a reference, by itself it would not.
    const wrapped = z.toJSONSchema(z.object({ root: schema }), {
      metadata: this.#names,
      io,
      unrepresentable: 'any',
    });
    const named = Object.entries(wrapped.$defs ?? {}).map(([name, json]): [string, string] => {
      const { id: _, ...shape } = json;
      return [name, JSON.stringify(shape)];
    });
    // What is read and what is written may differ under one name, by defaults for instance.
    const renamed = new Map(
      named.map(([name, json]): [string, string] => {
        const known = this.#all[name];
        const same = known === undefined || JSON.stringify(known) === rewrite(json, new Map());
        return [name, same ? name : `${name}Input`];
      }),
    );
    for (const [name, json] of named) this.#all[renamed.get(name) ?? name] ??= parseObject(rewrite(json, renamed));
    return parseObject(rewrite(JSON.stringify(wrapped.properties?.root ?? {}), renamed));
  }
}

function rewrite(json: string, renamed: ReadonlyMap<string, string>): string {
  return json.replaceAll(/"#\/\$defs\/([^"]+)"/g, (_, name: string) => {
    return `"#/components/schemas/${renamed.get(name) ?? name}"`;
  });
}

function parseObject(json: string): JsonSchema {
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
