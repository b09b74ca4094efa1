import { z } from 'zod';

/** A validating schema, or a plain JSON Schema if the route has its own parser. */
export type DescribedSchema = z.ZodType | JsonSchema;
export type JsonSchema = Readonly<Record<string, unknown>>;

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** How a request can authenticate: an API token as bearer token, or the cookie of a session. */
export type SecurityScheme = 'token' | 'session';

/** The body of a request or of a reply in one media type. */
export interface Content {
  /** Default `application/json`. */
  readonly type?: string;
  readonly schema: DescribedSchema;
}

export interface Reply<Body = unknown> {
  readonly description: string;
  /** One entry for every media type. Absent: no body. */
  readonly content?: readonly Content[];
  /** Type only: the value that a handler returns for this reply. */
  readonly returns?: Body;
}

/** By status. */
export type Replies = Readonly<Record<number, Reply>>;

/** What a handler returns for a reply. */
export type ReplyBody<Each> = Each extends Reply<infer Body> ? Body : never;

/** A parameter as the reference shows it. */
export interface DescribedParameter {
  readonly name: string;
  readonly in: 'query' | 'header';
  readonly description: string;
  readonly described: JsonSchema;
  readonly isRequired: boolean;
}

/** One method at one address, as the reference describes it. */
export interface Operation {
  readonly method: Method;
  /** As the router writes it: `/v2/runs/:id`. */
  readonly path: string;
  /** Section of the reference. */
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Any one of these is enough; empty for a public route. */
  readonly security: readonly SecurityScheme[];
  readonly parameters: readonly DescribedParameter[];
  readonly body?: readonly Content[];
  /** A body that the route accepts as JSON. */
  readonly bodyExample?: unknown;
  readonly replies: Replies;
  /** Body of an error. */
  readonly refusal: DescribedSchema;
}

type DeepReadonly<Value> = unknown extends Value ? Value : { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> };

/** A reply with a JSON body. With a validating schema, the compiler checks the handler's result against it. */
export function json<Schema extends DescribedSchema>(
  schema: Schema,
  description: string,
): Reply<Schema extends z.ZodType ? DeepReadonly<z.output<Schema>> : unknown> {
  return { description, content: [{ schema }] };
}

/** A reply in another media type; the handler returns a `Response`. */
export function media(type: string, description: string, schema: DescribedSchema = { type: 'string' }): Reply<never> {
  return { description, content: [{ type, schema }] };
}

/** An HTML page. */
export const HTML_PAGE: Reply<never> = media('text/html', 'A page.');

/** A reply without a body. */
export const NO_CONTENT: Reply<void> = { description: 'Done. The reply has no body.' };

/** A list without pages. */
export function listSchema<Item extends z.ZodType>(item: Item): z.ZodObject<{ data: z.ZodArray<Item> }> {
  return z.object({ data: z.array(item) });
}
