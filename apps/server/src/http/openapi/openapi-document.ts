import * as protocol from '@gptj-cloud/protocol';
import { z } from 'zod';
import type { Content, DescribedSchema, JsonSchema, Operation, SecurityScheme } from './operation.ts';

/** The parts of the document that the reference page reads; the rest is for other tools. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string; readonly description: string }[];
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

export type OpenApiContent = Readonly<Record<string, { readonly schema: JsonSchema; readonly example?: unknown }>>;

/** OpenAPI 3.1 of the operations, in their order, from the schemas that validate requests. */
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
    // Relative to the address of the document, whatever proxies are before it.
    servers: [{ url: '/', description: 'The server that has this document.' }],
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
  return path.replaceAll(/:(\w+)(?:\{[^{}:]*\})?/g, '{$1}');
}

function describe(operation: Operation, schemas: SchemaComponents): OpenApiOperation {
  const { method, path, tag, summary, description, security, parameters, body, bodyExample, replies, refusal } =
    operation;
  const content = (list: readonly Content[], io: 'input' | 'output'): OpenApiContent =>
    Object.fromEntries(
      list.map(({ type = 'application/json', schema }) => [type, { schema: schemas.use(schema, io) }]),
    );
  const withExample = (bodies: OpenApiContent): OpenApiContent => {
    const json = bodies['application/json'];
    return json === undefined || bodyExample === undefined
      ? bodies
      : { ...bodies, 'application/json': { ...json, example: bodyExample } };
  };
  const inPath = [...openApiPath(path).matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const given = parameters.map(({ name, in: place, description: text, described, isRequired }) => ({
    name,
    in: place,
    required: isRequired,
    description: text,
    schema: described,
  }));
  return {
    operationId: `${method}${openApiPath(path).replaceAll(/[^a-zA-Z0-9]+/g, '_')}`.replace(/_$/, ''),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: security.map((scheme: SecurityScheme) => ({ [scheme]: [] })),
    parameters: [...inPath, ...given],
    ...(body === undefined ? {} : { requestBody: { required: true, content: withExample(content(body, 'input')) } }),
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
        description: 'An error: the status names its kind, the body the reason and the remedy.',
        content: content([{ schema: refusal }], 'output'),
      },
    },
  };
}

/** Schemas that the protocol exports are components under their names; other schemas stay inline. */
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

  /** Sorted by name. */
  get all(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries(Object.entries(this.#all).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  use(schema: DescribedSchema, io: 'input' | 'output'): JsonSchema {
    if (!(schema instanceof z.ZodType)) return schema;
    // A named schema becomes a reference inside another schema only.
    const wrapped = z.toJSONSchema(z.object({ root: schema }), {
      metadata: this.#names,
      io,
      unrepresentable: 'any',
    });
    const named = Object.entries(wrapped.$defs ?? {}).map(([name, json]): [string, string] => {
      const { id: _, ...shape } = json;
      return [name, JSON.stringify(shape)];
    });
    // Input and output of one schema may differ, for instance by defaults.
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
