import { z } from 'zod';

/** A schema that validates, or one written down where code of its own does. */
export type DescribedSchema = z.ZodType | JsonSchema;
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A body: of a request or of a reply. */
export interface Content {
  /** Default `application/json`. */
  readonly type?: string;
  readonly schema: DescribedSchema;
}

export interface Reply {
  readonly description: string;
  /** Absent: no body. One entry for every media type. */
  readonly content?: readonly Content[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'header';
  readonly description: string;
  readonly schema: JsonSchema;
}

/**
 * Who may ask. `public`: anybody. `token`: an API token or a session. `session`: a session. `admin`: an owner of the
 * server, by a session or a token with the scope `admin`.
 */
export type Access = 'public' | 'token' | 'session' | 'admin';

/** One method at one address, as the reference describes it. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As the router has it: `/v2/runs/:id`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly parameters?: readonly Parameter[];
  readonly body?: readonly Content[];
  /** Body of a refusal where it is not the usual `Error`. */
  readonly refusal?: JsonSchema;
  /** By status. Refusals need not be listed: every operation has them. */
  readonly replies: Readonly<Record<number, Reply>>;
}

/** A reply with a JSON body. */
export function json(schema: DescribedSchema, description: string): Reply {
  return { description, content: [{ schema }] };
}

/** A reply without a body. */
export const NO_CONTENT: Reply = { description: 'Done; there is nothing to say.' };

/** A list in one piece. */
export function listSchema<Item extends z.ZodType>(item: Item): z.ZodObject<{ data: z.ZodArray<Item> }> {
  return z.object({ data: z.array(item) });
}

export function query(name: string, description: string, schema: JsonSchema = { type: 'string' }): Parameter {
  return { name, in: 'query', description, schema };
}

export function header(name: string, description: string): Parameter {
  return { name, in: 'header', description, schema: { type: 'string' } };
}

/** What every paged list takes. */
export const PAGE: readonly Parameter[] = [
  query('skip', 'How many to leave out at the beginning.', { type: 'integer', minimum: 0, default: 0 }),
  query('limit', 'How many to give at most.', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
  query('order_by', 'Field and direction.', {
    type: 'string',
    default: 'created_at:desc',
    examples: ['created_at:asc'],
  }),
];
